import { AnnealError } from "@anneal/core/errors";

/**
 * Where bytes live: a folder or a bucket behind one interface. Keys are relative POSIX paths. A put is whole or absent:
 * readers never see half an object.
 */
export type ObjectStore = {
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<{ sizeBytes: number }>;
  /** Throws NOT_FOUND. */
  get(key: string): Promise<Uint8Array>;
  /** Throws NOT_FOUND before the first chunk. */
  stream(key: string): Promise<AsyncIterable<Uint8Array>>;
  exists(key: string): Promise<boolean>;
  remove(key: string): Promise<void>;
  list(prefix: string): AsyncIterable<string>;
};

const segment = /^(?!\.{1,2}$)[\w.@=+-]+$/;

/** Keys are made by us; a segment that could leave the store is a bug or an attack, never a name. */
export function assertKey(key: string): void {
  if (key === "" || !key.split("/").every((part) => segment.test(part))) {
    throw new AnnealError("INVALID_INPUT", `The object key ${JSON.stringify(key)} is not allowed.`, {
      action: "Use letters, digits, '.', '_', '-', '@', '=', '+' and '/' only.",
    });
  }
}

export function missingObject(key: string): AnnealError {
  return new AnnealError("NOT_FOUND", `There is no object ${key} in the store.`, {
    action: "Run the stage that makes it again, or restore the object store from its backup.",
    details: { key },
  });
}

export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
