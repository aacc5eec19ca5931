import type { Platform } from "./running-platform.ts";

/** A source that is there while it is measured, and is taken away again however that ends. */
export async function withSource<T>(
  { mutate }: Platform,
  source: Record<string, unknown>,
  measure: (sourceId: string) => Promise<T>,
): Promise<T> {
  const { sourceId } = await mutate<{ sourceId: string }>("connect.create", source);
  try {
    return await measure(sourceId);
  } finally {
    await mutate("connect.remove", { sourceId });
  }
}
