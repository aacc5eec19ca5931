"use client";

import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { createContext, use, useState, type ReactNode } from "react";
import { ChangeMemory } from "#lib/change-memory.ts";
import { routersOfTable } from "#lib/live-tables.ts";
import { refreshQueries } from "#lib/refresh-queries.ts";

export type LiveUpdates = {
  /** @param tables "*": anything may have changed. @param at when a server said so */
  hear(tables: readonly string[], at: number): void;
  /** For answers that a server read then and that arrived only now: what it said of them meanwhile found nothing to refresh. */
  catchUp(readAt: number): void;
};

export function createLiveUpdates(client: QueryClient): LiveUpdates {
  const memory = new ChangeMemory();
  const refresh = (tables: readonly string[]) => {
    if (tables.includes("*")) return refreshQueries(client);
    for (const name of new Set(tables.flatMap((table) => routersOfTable[table] ?? [])))
      refreshQueries(client, [[name]]);
  };
  return {
    hear(tables, at) {
      memory.note(tables, at);
      refresh(tables);
    },
    catchUp: (readAt) => refresh(memory.since(readAt)),
  };
}

const LiveUpdatesContext = createContext<LiveUpdates | null>(null);

export function LiveUpdatesProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const [updates] = useState(() => createLiveUpdates(client));
  return <LiveUpdatesContext value={updates}>{children}</LiveUpdatesContext>;
}

export function useLiveUpdates(): LiveUpdates {
  const updates = use(LiveUpdatesContext);
  if (!updates) throw new Error("useLiveUpdates is used outside of a workspace's pages.");
  return updates;
}
