"use client";

import { useSubscription } from "@trpc/tanstack-react-query";
import { useEffect, useState } from "react";
import { useLiveUpdates } from "#lib/live-updates.tsx";
import { useTRPC } from "#lib/trpc.ts";

const graceMs = 2_500;
const retryMs = 2_000;

/**
 * Keeps every query of the workspace fresh, and says when the line is down for longer than a blink.
 * @param renderedAt when the server began to render the page, by its clock: what changes from then on is heard of
 */
export function useLiveChanges(renderedAt: number): { lost: boolean } {
  const trpc = useTRPC();
  const updates = useLiveUpdates();
  // A page that is rendered again needs no other line.
  const [since] = useState(renderedAt);
  const [open, setOpen] = useState(false);
  const [lost, setLost] = useState(false);

  const { status, reset } = useSubscription(
    trpc.live.changes.subscriptionOptions(
      { since },
      {
        onData: ({ id, data: tables }) => {
          setOpen(true);
          updates.hear(tables, Number(id));
        },
      },
    ),
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
