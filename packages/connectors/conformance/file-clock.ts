import { utimes } from "node:fs/promises";

/** Stamps files as a server would whose clock is so far ahead of ours. */
export type FileClock = { setClock(aheadMs: number): Promise<void>; stamp(path: string): Promise<void> };

export function createFileClock(): FileClock {
  let aheadMs: number | null = null;
  return {
    async setClock(ms) {
      aheadMs = ms;
    },
    async stamp(path) {
      // Until it is set, the system stamps as it always does.
      if (aheadMs === null) return;
      const at = new Date(Date.now() + aheadMs);
      await utimes(path, at, at);
    },
  };
}
