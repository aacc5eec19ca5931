import type { Socket } from "node:net";
import type { TextRow } from "../../src/sql/dialect.ts";

/** As much of MS-TDS 7.4 as a driver needs to sign in, to begin and undo a transaction and to read rows. */
export const packetTypes = { batch: 0x01, rpc: 0x03, attention: 0x06, transaction: 0x0e, login: 0x10, prelogin: 0x12 };
const responseType = 0x04;
const headerBytes = 8;
const endOfMessage = 1;
const packetBytes = 4096;

export type Message = { type: number; body: Buffer };

/** @throws for what is no packet at all, such as the greeting of TLS */
export async function* readMessages(socket: Socket): AsyncIterable<Message> {
  let buffer: Buffer = Buffer.alloc(0);
  let parts: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= headerBytes) {
      const type = buffer.readUInt8(0);
      const size = buffer.readUInt16BE(2);
      if (!Object.values(packetTypes).includes(type) || size < headerBytes) throw new Error("not the protocol of TDS");
      if (buffer.length < size) break;
      parts.push(buffer.subarray(headerBytes, size));
      const isLast = (buffer.readUInt8(1) & endOfMessage) !== 0;
      buffer = buffer.subarray(size);
      if (!isLast) continue;
      yield { type, body: Buffer.concat(parts) };
      parts = [];
    }
  }
}

export function encodeMessage(body: Buffer): Buffer {
  const packets: Buffer[] = [];
  for (let at = 0; at === 0 || at < body.length; at += packetBytes - headerBytes) {
    const part = body.subarray(at, at + packetBytes - headerBytes);
    const header = Buffer.alloc(headerBytes);
    header.writeUInt8(responseType, 0);
    header.writeUInt8(at + part.length >= body.length ? endOfMessage : 0, 1);
    header.writeUInt16BE(headerBytes + part.length, 2);
    packets.push(header, part);
  }
  return Buffer.concat(packets);
}

/** VERSION and ENCRYPTION (2: not supported), each as its place and size, then their values. */
export function preloginAnswer(): Buffer {
  return Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 16, 0, 0x10, 0, 0, 0, 2]);
}

export type Login = { user: string; password: string; database: string; readOnlyIntent: boolean };

export function parseLogin(body: Buffer): Login {
  const text = (at: number, decode = (bytes: Buffer) => bytes) => {
    const from = body.readUInt16LE(at);
    return decode(body.subarray(from, from + body.readUInt16LE(at + 2) * 2)).toString("utf16le");
  };
  // Each byte has its halves swapped and is then combined with A5.
  const unscramble = (bytes: Buffer) =>
    Buffer.from(bytes.map((byte) => (((byte ^ 0xa5) << 4) | ((byte ^ 0xa5) >> 4)) & 0xff));
  return {
    user: text(40),
    password: text(44, unscramble),
    database: text(68),
    readOnlyIntent: (body.readUInt8(26) & 0x20) !== 0,
  };
}

/** The statement of sp_executesql and its parameters' values. */
export function parseRpc(body: Buffer): { sql: string; values: (string | null)[] } {
  let at = body.readUInt32LE(0);
  const executeSql = 10;
  if (body.readUInt16LE(at) !== 0xffff || body.readUInt16LE(at + 2) !== executeSql)
    throw new Error("another procedure");
  at += 6;
  const values: (string | null)[] = [];
  while (at < body.length) {
    at += 1 + body.readUInt8(at) * 2 + 1;
    const nvarchar = 0xe7;
    if (body.readUInt8(at) !== nvarchar) throw new Error("a parameter of another type");
    const isLong = body.readUInt16LE(at + 1) === 0xffff;
    const [value, end] = isLong ? readLong(body, at + 8) : readShort(body, at + 8);
    values.push(value);
    at = end;
  }
  return { sql: values[0] ?? "", values: values.slice(2) };
}

function readShort(body: Buffer, at: number): [string | null, number] {
  const size = body.readUInt16LE(at);
  if (size === 0xffff) return [null, at + 2];
  return [body.subarray(at + 2, at + 2 + size).toString("utf16le"), at + 2 + size];
}

/** A total size, then pieces with a size each up to an empty one. */
function readLong(body: Buffer, from: number): [string | null, number] {
  if (body.readBigUInt64LE(from) === 0xffffffffffffffffn) return [null, from + 8];
  const pieces: Buffer[] = [];
  let at = from + 8;
  for (let size = body.readUInt32LE(at); size > 0; size = body.readUInt32LE(at)) {
    pieces.push(body.subarray(at + 4, at + 4 + size));
    at += 4 + size;
  }
  return [Buffer.concat(pieces).toString("utf16le"), at + 4];
}

export function parseTransaction(body: Buffer): "begin" | "rollback" | "other" {
  const request = body.readUInt16LE(body.readUInt32LE(0));
  return request === 5 ? "begin" : request === 8 ? "rollback" : "other";
}

export function loginAck(): Buffer {
  const name = shortText("Microsoft SQL Server");
  const ack = Buffer.concat([Buffer.from([1, 0x74, 0, 0, 4]), name, Buffer.from([16, 0, 0x10, 0])]);
  return Buffer.concat([Buffer.from([0xad]), uint16(ack.length), ack]);
}

/** The transaction that is begun, or that ended. */
export function transactionChange(change: "begin" | "rollback", descriptor: Buffer): Buffer {
  const values = [Buffer.from([descriptor.length]), descriptor, Buffer.from([0])];
  const body = Buffer.concat(
    change === "begin" ? [Buffer.from([8]), ...values] : [Buffer.from([10, 0, descriptor.length]), descriptor],
  );
  return Buffer.concat([Buffer.from([0xe3]), uint16(body.length), body]);
}

/** Every column as nvarchar(max): what the connector selects is text and counts. */
export function rowTokens(columns: string[], rows: TextRow[]): Buffer {
  const described = columns.map((name) =>
    Buffer.concat([Buffer.from([0, 0, 0, 0, 9, 0, 0xe7, 0xff, 0xff, 9, 4, 0xd0, 0, 0x34]), shortText(name)]),
  );
  return Buffer.concat([
    Buffer.from([0x81]),
    uint16(columns.length),
    ...described,
    ...rows.flatMap((row) => [Buffer.from([0xd1]), ...row.map(longText)]),
  ]);
}

export function errorToken(number: number, text: string): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32LE(number, 0);
  head.writeUInt8(1, 4);
  head.writeUInt8(16, 5);
  const message = Buffer.from(text, "utf16le");
  const body = Buffer.concat([head, uint16(text.length), message, shortText("fake"), shortText(""), Buffer.alloc(4)]);
  return Buffer.concat([Buffer.from([0xaa]), uint16(body.length), body]);
}

const doneFlags = { ok: 0, more: 1, error: 2, attention: 0x20 };
/** DONE, the end of a procedure, and of one statement in it. */
const doneTypes = { request: 0xfd, procedure: 0xfe, statement: 0xff };

export function doneToken(flag: keyof typeof doneFlags, of: keyof typeof doneTypes = "request"): Buffer {
  const token = Buffer.alloc(13);
  token.writeUInt8(doneTypes[of], 0);
  token.writeUInt16LE(doneFlags[flag], 1);
  return token;
}

function longText(value: string | null): Buffer {
  if (value === null) return Buffer.alloc(8, 0xff);
  const bytes = Buffer.from(value, "utf16le");
  const total = Buffer.alloc(8);
  total.writeBigUInt64LE(BigInt(bytes.length));
  const end = Buffer.alloc(4);
  if (bytes.length === 0) return Buffer.concat([total, end]);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(bytes.length);
  return Buffer.concat([total, size, bytes, end]);
}

function shortText(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "utf16le")]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}
