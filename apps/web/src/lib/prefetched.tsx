"use client";

import { HydrationBoundary, type DehydratedState } from "@tanstack/react-query";
import { useEffect, type ReactNode } from "react";
import { useLiveUpdates } from "#lib/live-updates.tsx";

type PrefetchedProps = {
  state: DehydratedState;
  /** When the server began to read it, by its clock in milliseconds. */
  readAt: number;
  children: ReactNode;
};

/** Answers that came with a page, which may be older than what the browser has heard of since. */
export function Prefetched({ state, readAt, children }: PrefetchedProps) {
  const updates = useLiveUpdates();
  useEffect(() => updates.catchUp(readAt), [updates, readAt]);
  return <HydrationBoundary state={state}>{children}</HydrationBoundary>;
}
