import { crc32 } from "node:zlib";

/**
 * A ZIP of uncompressed entries. A library that wants an archive gets this one, made of the parts that were inspected,
 * and never the original, which it might read differently from us.
 */
export function writeArchive(parts: ReadonlyMap<string, Uint8Array>): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, data] of parts) {
    const nameBytes = Buffer.from(name);
    // Shared by both headers: version 2.0, UTF-8 names, stored, 1980-01-01, checksum, sizes, name length, no extra.
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(0x0800, 2);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    locals.push(Buffer.from("PK\x03\x04"), fields, nameBytes, Buffer.from(data.buffer, data.byteOffset, data.length));
    directory.push(Buffer.from("PK\x01\x02\x14\0"), fields, tail, nameBytes);
    offset += 4 + fields.length + nameBytes.length + data.length;
  }
  const directoryBytes = directory.reduce((sum, chunk) => sum + chunk.length, 0);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(parts.size, 8);
  end.writeUInt16LE(parts.size, 10);
  end.writeUInt32LE(directoryBytes, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}
