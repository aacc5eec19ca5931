/** Work of a sync that may run side by side. */
export type Lanes = {
  /**
   * Begins `work` when there is room, and comes back when there is room for another. Work with the same key runs in the
   * order in which it came. Throws what earlier work failed with.
   */
  run(key: string, work: () => Promise<void>): Promise<void>;
  /** Comes back when all has ended. Throws what work failed with. */
  settle(): Promise<void>;
};

/** @param limit how many run at once; 1: each ends before the next begins */
export function createLanes(limit: number): Lanes {
  const running = new Map<string, Promise<void>>();
  let failure: { error: unknown } | null = null;
  const throwFailure = () => {
    if (failure !== null) throw failure.error;
  };
  return {
    async run(key, work) {
      // Several may ask at once, and between the last look and the beginning nobody else may begin.
      while (running.has(key) || running.size >= limit) await (running.get(key) ?? Promise.race(running.values()));
      throwFailure();
      const lane = work()
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => running.delete(key));
      running.set(key, lane);
      while (running.size >= limit) await Promise.race(running.values());
      throwFailure();
    },
    async settle() {
      await Promise.all(running.values());
      throwFailure();
    },
  };
}
