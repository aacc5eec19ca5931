"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useEffect, useState } from "react";
import { routersOfTable } from "#lib/live-tables.ts";
import { refreshQueries } from "#lib/refresh-queries.ts";
import { useTRPC } from "#lib/trpc.ts";

const graceMs = 2_500;
const retryMs = 2_000;

/** Keeps every query of the workspace fresh, and says when the line is down for longer than a blink. */
export function useLiveChanges(): { lost: boolean } {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [open, setOpen] = useState(false);
  const [lost, setLost] = useState(false);

  const { status, reset } = useSubscription(
    trpc.live.changes.subscriptionOptions(undefined, {
      onData: (tables) => {
        setOpen(true);
        if (tables.includes("*")) return refreshQueries(queryClient);
        for (const name of new Set(tables.flatMap((table) => routersOfTable[table] ?? [])))
          refreshQueries(queryClient, [[name]]);
      },
    }),
  );

  // A server that stops ends the stream properly, and one that is not up yet refuses it: neither is tried again by itself.
  useEffect(() => {
    if (status !== "error" && status !== "idle") return;
    const timer = setTimeout(reset, retryMs);
    return () => clearTimeout(timer);
  }, [status, reset]);

  const connected = open && status === "pending";
  useEffect(() => {
    if (connected) {
      setLost(false);
      return;
    }
    const timer = setTimeout(() => setLost(true), graceMs);
    return () => clearTimeout(timer);
  }, [connected]);

  return { lost };
}
