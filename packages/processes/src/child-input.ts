/**
 * What a confined process is handed on its standard input, behind the messages that say how much it is.
 *
 * @returns a reader of the next so many bytes
 * @throws where the input ends before
 */
export function openChildInput(): (sizeBytes: number) => Promise<Uint8Array> {
  const input = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return async (sizeBytes) => {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes);
    for (let filled = 0; filled < sizeBytes;) {
      const chunk = await input.next();
      if (chunk.done === true) throw new Error("it came in part only");
      filled += chunk.value.copy(bytes, filled);
    }
    return bytes;
  };
}
