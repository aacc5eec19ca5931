import type { Socket } from "node:net";
import { BSON, type Document } from "mongodb";

/**
 * MongoDB's wire protocol: https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/. OP_MSG carries every
 * command; OP_QUERY the first greeting of a driver, and OP_REPLY its answer.
 */
const opReply = 1;
const opQuery = 2004;
const opMsg = 2013;
const headerBytes = 16;

export type Request = { requestId: number; legacy: boolean; command: Document };

/** @throws for what is no request at all, such as the greeting of TLS */
export async function* readRequests(socket: Socket): AsyncIterable<Request> {
  let buffer: Buffer = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    buffer = Buffer.concat([buffer, chunk]);
    while (buffer.length >= headerBytes) {
      const size = buffer.readInt32LE(0);
      const opCode = buffer.readInt32LE(12);
      if ((opCode !== opMsg && opCode !== opQuery) || size < headerBytes || size > 48_000_000) {
        throw new Error("not the protocol of MongoDB");
      }
      if (buffer.length < size) break;
      const message = buffer.subarray(0, size);
      buffer = buffer.subarray(size);
      yield {
        requestId: message.readInt32LE(4),
        legacy: opCode === opQuery,
        command: opCode === opQuery ? parseQuery(message) : parseMessage(message),
      };
    }
  }
}

/** flagBits, then one section of kind 0; clients send the other kind only with writes. */
function parseMessage(message: Buffer): Document {
  if (message.readUInt8(headerBytes + 4) !== 0) throw new Error("a section of a write");
  return parseDocument(message.subarray(headerBytes + 5));
}

/** flags, the collection's name, numberToSkip, numberToReturn, the query. */
function parseQuery(message: Buffer): Document {
  const nameEnd = message.indexOf(0, headerBytes + 4);
  return parseDocument(message.subarray(nameEnd + 9));
}

function parseDocument(bytes: Buffer): Document {
  return BSON.deserialize(bytes.subarray(0, bytes.readInt32LE(0)), { promoteLongs: true, promoteBuffers: false });
}

/** Is sent as bytes that are no UTF-8, as the server sends what a program stored so: it does not look into texts. */
export const noCharacter = "\u{10ffff}";

export function encodeReply({ requestId, legacy }: Request, answer: Document): Buffer {
  const body = Buffer.from(BSON.serialize(answer));
  const broken = Buffer.from(noCharacter);
  for (let at = body.indexOf(broken); at !== -1; at = body.indexOf(broken, at)) body.fill(0xff, at, at + broken.length);
  // responseFlags, cursorID, startingFrom, numberReturned; or flagBits and the section's kind.
  const prefix = Buffer.alloc(legacy ? 20 : 5);
  if (legacy) prefix.writeInt32LE(1, 16);
  const header = Buffer.alloc(headerBytes);
  header.writeInt32LE(headerBytes + prefix.length + body.length, 0);
  header.writeInt32LE(requestId, 8);
  header.writeInt32LE(legacy ? opReply : opMsg, 12);
  return Buffer.concat([header, prefix, body]);
}
