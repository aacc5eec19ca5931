const endBytes = 22;
const maxCommentBytes = 0xffff;
const maxNames = 20_000;

/**
 * The names that a ZIP's directory lists, to tell what kind of file it is; null when the directory is not among the
 * bytes or makes no sense. Nothing is checked here: whoever reads the file does that.
 */
export function zipNames(bytes: Uint8Array): string[] | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const from = Math.max(0, buffer.length - endBytes - maxCommentBytes);
  const end = from + buffer.subarray(from).lastIndexOf("PK\x05\x06", undefined, "latin1");
  if (end < from || end + endBytes > buffer.length) return null;
  const count = buffer.readUInt16LE(end + 10);
  let at = buffer.readUInt32LE(end + 16);
  const names: string[] = [];
  while (names.length < Math.min(count, maxNames)) {
    if (at + 46 > buffer.length || buffer.readUInt32LE(at) !== 0x02014b50) return null;
    const [name, extra, comment] = [28, 30, 32].map((offset) => buffer.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ];
    names.push(buffer.toString("latin1", at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}
