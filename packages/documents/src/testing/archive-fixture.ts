import { crc32, deflateRawSync } from "node:zlib";

export type FixtureEntry = {
  name: string;
  data: Uint8Array | string;
  /** What the headers claim, when it is not the truth. */
  declaredBytes?: number;
  checksum?: number;
  encrypted?: boolean;
  /** Written as it is, not deflated. */
  stored?: boolean;
};

/** A ZIP of deflated entries (but those that ask to be stored) whose headers may lie. */
export function deflatedArchive(entries: readonly FixtureEntry[]): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, declaredBytes, checksum, encrypted, stored } of entries) {
    const plain = Buffer.from(data as Uint8Array);
    const packed = stored === true ? plain : deflateRawSync(plain);
    const nameBytes = Buffer.from(name);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(encrypted === true ? 1 : 0, 2);
    fields.writeUInt16LE(stored === true ? 0 : 8, 4);
    fields.writeUInt16LE(0x21, 8);
    fields.writeUInt32LE(checksum ?? crc32(plain), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(declaredBytes ?? plain.length, 18);
    fields.writeUInt16LE(nameBytes.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    locals.push(Buffer.from("PK\x03\x04"), fields, nameBytes, packed);
    directory.push(Buffer.from("PK\x01\x02\x14\0", "latin1"), fields, tail, nameBytes);
    offset += 30 + nameBytes.length + packed.length;
  }
  const size = directory.reduce((sum, chunk) => sum + chunk.length, 0);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", "latin1");
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, ...directory, end]);
}

export type TarEntry = { name: string; data?: Uint8Array | string; type?: string; declaredBytes?: number };

/** A ustar archive; `type` is the header's type flag, "0" for a file. */
export function writeTar(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap(({ name, data = "", type = "0", declaredBytes }) => {
    const content = Buffer.from(data as Uint8Array);
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write("0000644\0", 100);
    header.write(`${(declaredBytes ?? content.length).toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(type, 156);
    header.write("ustar\x0000", 257, "latin1");
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
