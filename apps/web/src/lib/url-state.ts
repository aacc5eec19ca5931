"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { useCallback } from "react";

/**
 * State that lives in the URL, so that a link, a reload and the back button keep it. Empty values and defaults leave
 * the URL. Uses the history API, which Next mirrors into `useSearchParams` without asking the server.
 */
export function useUrlState() {
  const params = useSearchParams();
  const pathname = usePathname();
  const set = useCallback(
    (changes: Record<string, string | null>) => {
      const next = new URLSearchParams(window.location.search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === null || value === "") next.delete(name);
        else next.set(name, value);
      }
      const query = next.toString();
      window.history.replaceState(null, "", query ? `${pathname}?${query}` : pathname);
    },
    [pathname],
  );
  return [params, set] as const;
}

export function useUrlParam(name: string, fallback: string): [string, (value: string) => void] {
  const [params, set] = useUrlState();
  const change = useCallback(
    (value: string) => set({ [name]: value === fallback ? null : value }),
    [set, name, fallback],
  );
  return [params.get(name) ?? fallback, change];
}
