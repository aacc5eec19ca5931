import type { Platform } from "./running-platform.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

/** A source that is there while it is measured, and is taken away again however that ends, also by a signal. */
export async function withSource<T>(
  { mutate }: Platform,
  source: Record<string, unknown>,
  measure: (sourceId: string) => Promise<T>,
): Promise<T> {
  const interrupted = Promise.withResolvers<never>();
  // Nobody listens before the source is there.
  interrupted.promise.catch(() => undefined);
  const interrupt = (signal: string) => interrupted.reject(new Error(`It was ended by ${signal}.`));
  // The second one ends the program at once.
  for (const signal of signals) process.once(signal, interrupt);
  try {
    const { sourceId } = await mutate<{ sourceId: string }>("connect.create", source);
    try {
      return await Promise.race([measure(sourceId), interrupted.promise]);
    } finally {
      await mutate("connect.remove", { sourceId });
    }
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}
