import { tooLarge, type LimitKind } from "./failure.ts";

/** Passes a body through and stops it at the limit: a declared size is a claim, not a fact. */
export async function* limitBytes(
  ref: string,
  body: AsyncIterable<Uint8Array>,
  limitBytes: number,
  kind?: LimitKind,
): AsyncIterable<Uint8Array> {
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw tooLarge(ref, null, limitBytes, kind);
    yield chunk;
  }
}

export async function collectBytes(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A handle on bytes that are in memory already. */
export function contentOf(bytes: Uint8Array) {
  return {
    async open() {
      return (async function* () {
        yield bytes;
      })();
    },
  };
}
