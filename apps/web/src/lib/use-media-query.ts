"use client";

import { useCallback, useSyncExternalStore } from "react";

/** False on the server: the wide layout is what is rendered first. */
export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(
    subscribe,
    () => window.matchMedia(query).matches,
    () => false,
  );
}

/** Below Tailwind's `md`: the rail is a drawer and tables are cards. */
export const narrowQuery = "(max-width: 47.99rem)";
