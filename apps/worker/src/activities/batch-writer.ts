/** Collects entries and writes them in batches, one batch at a time, in the order in which they came. */
export type BatchWriter<Entry> = {
  /** Comes back when the entry is taken, which waits while a whole batch waits. Throws what a write failed with. */
  add(entry: Entry): Promise<void>;
  /** Comes back when all that was added is written. Throws what a write failed with. */
  settle(): Promise<void>;
};

export type BatchLimits = {
  /** A batch is written when it has so many entries, */
  maxEntries: number;
  /** or so many bytes, */
  maxBytes: number;
  /** or when its first entry has waited so long. */
  maxWaitMs: number;
};

/**
 * At most one batch is written while the next is collected, so that twice the limits bound what is held. After a write
 * has failed nothing more is written.
 */
export function createBatchWriter<Entry>(
  limits: BatchLimits,
  sizeOf: (entry: Entry) => number,
  write: (batch: Entry[]) => Promise<void>,
): BatchWriter<Entry> {
  let waiting: Entry[] = [];
  let waitingBytes = 0;
  /** What waits is to be written though it is no whole batch. */
  let isDue = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | null = null;
  let failure: { error: unknown } | null = null;
  const isFull = () => waiting.length >= limits.maxEntries || waitingBytes >= limits.maxBytes;
  const throwFailure = () => {
    if (failure !== null) throw failure.error;
  };

  const proceed = () => {
    if (writing !== null || failure !== null || waiting.length === 0 || !(isDue || isFull())) return;
    const batch = waiting;
    [waiting, waitingBytes, isDue] = [[], 0, false];
    clearTimeout(timer);
    writing = write(batch)
      .catch((error: unknown) => void (failure = { error }))
      .then(() => {
        writing = null;
        proceed();
      });
  };
  const writeWaiting = () => {
    isDue = true;
    proceed();
  };

  return {
    async add(entry) {
      while (isFull() && failure === null) await writing;
      throwFailure();
      if (waiting.length === 0) timer = setTimeout(writeWaiting, limits.maxWaitMs);
      waiting.push(entry);
      waitingBytes += sizeOf(entry);
      proceed();
    },
    async settle() {
      while (failure === null && (waiting.length > 0 || writing !== null)) {
        if (waiting.length > 0) writeWaiting();
        await writing;
      }
      throwFailure();
    },
  };
}
