"use client";

import { useSyncExternalStore } from "react";

const tickMs = 5_000;
let now = 0;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, tickMs);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function current(): number {
  if (Date.now() - now > tickMs) now = Date.now();
  return now;
}

/** One clock for every relative time on the page; null while rendering on the server, which knows no "now" of the person. */
export function useNow(): Date | null {
  const value = useSyncExternalStore(subscribe, current, () => 0);
  return value === 0 ? null : new Date(value);
}
