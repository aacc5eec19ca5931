import { createRequire } from "node:module";
import type * as Burner from "@kenjiuno/msgreader/lib/Burner.js";

const { burn } = createRequire(import.meta.url)("@kenjiuno/msgreader/lib/Burner.js") as typeof Burner;

/** A stream, or a storage with what is in it. */
type CompoundNode = { name: string; data: Uint8Array } | { name: string; children: readonly CompoundNode[] };

type MsgPerson = { name: string; address?: string; exchangePath?: string };
type MsgAttachment =
  | { name: string; data: Uint8Array | string; mediaType?: string; contentId?: string; isHidden?: boolean }
  | { name: string; message: MsgContent }
  | { name: string; link: true };
export type MsgContent = {
  subject?: string;
  from?: MsgPerson;
  to?: readonly MsgPerson[];
  cc?: readonly MsgPerson[];
  sentAt?: Date;
  html?: string;
  text?: string;
  rtf?: string;
  attachments?: readonly MsgAttachment[];
  /** Strings as before Unicode: the message's code page, and how to write them in it. */
  old?: { codePage: number; encode: (text: string) => Uint8Array };
};

const types = { long: 0x0003, boolean: 0x000b, time: 0x0040, string8: 0x001e, unicode: 0x001f, binary: 0x0102 };
const storageType = 1;
const streamType = 2;
const rootType = 5;

/** An Outlook message by MS-OXMSG: one stream for each property of variable length, the others in a table. */
export function writeMsg(content: MsgContent): Uint8Array {
  return writeCompound(messageNodes(content, 32));
}

/** An OLE compound file by MS-CFB, with 512-byte sectors. */
export function writeCompound(nodes: readonly CompoundNode[]): Uint8Array {
  const entries: Parameters<typeof burn>[0] = [{ name: "Root Entry", type: rootType, children: [], length: 0 }];
  const add = (parent: number, children: readonly CompoundNode[]) => {
    for (const node of children) {
      const index = entries.length;
      entries[parent]!.children!.push(index);
      if ("children" in node) {
        entries.push({ name: node.name, type: storageType, children: [], length: 0 });
        add(index, node.children);
      } else {
        entries.push({
          name: node.name,
          type: streamType,
          length: node.data.length,
          // The writer takes an array's whole buffer.
          binaryProvider: () => Uint8Array.from(node.data),
        });
      }
    }
  };
  add(0, nodes);
  return burn(entries);
}

function messageNodes(content: MsgContent, headerBytes: number): CompoundNode[] {
  const { old } = content;
  const string = (id: number, text: string | undefined): CompoundNode[] =>
    text === undefined
      ? []
      : [
          old === undefined
            ? stream(id, types.unicode, Buffer.from(text, "utf16le"))
            : stream(id, types.string8, old.encode(text)),
        ];
  const person = (ids: { name: number; address: number; smtp: number }, of: MsgPerson | undefined) => [
    ...string(ids.name, of?.name),
    ...string(ids.address, of?.exchangePath ?? of?.address),
    ...(of?.exchangePath === undefined ? [] : string(ids.smtp, of.address)),
  ];
  const recipients = [
    ...(content.to ?? []).map((who) => ({ who, type: 1 })),
    ...(content.cc ?? []).map((who) => ({ who, type: 2 })),
  ];
  return [
    table(headerBytes, [
      ...(content.sentAt === undefined ? [] : [entry(0x0039, types.time, fileTime(content.sentAt))]),
      ...(old === undefined ? [] : [entry(0x3ffd, types.long, long(old.codePage))]),
      entry(0x3fde, types.long, long(65_001)),
    ]),
    { name: "__nameid_version1.0", children: [] },
    ...string(0x0037, content.subject),
    ...person({ name: 0x0c1a, address: 0x0c1f, smtp: 0x5d01 }, content.from),
    ...string(0x1000, content.text),
    ...(content.html === undefined ? [] : [stream(0x1013, types.binary, Buffer.from(content.html))]),
    ...(content.rtf === undefined ? [] : [stream(0x1009, types.binary, storedRtf(content.rtf))]),
    ...recipients.map(({ who, type }, index) => ({
      name: `__recip_version1.0_#${hex(index, 8)}`,
      children: [
        table(8, [entry(0x0c15, types.long, long(type))]),
        ...person({ name: 0x3001, address: 0x3003, smtp: 0x39fe }, who),
      ],
    })),
    ...(content.attachments ?? []).map((attachment, index) => ({
      name: `__attach_version1.0_#${hex(index, 8)}`,
      children: attachmentNodes(attachment, string),
    })),
  ];
}

function attachmentNodes(
  attachment: MsgAttachment,
  string: (id: number, text: string | undefined) => CompoundNode[],
): CompoundNode[] {
  if ("message" in attachment) {
    const name = `__substg1.0_${hex(0x3701, 4)}000D`;
    return [table(8, []), ...string(0x3001, attachment.name), { name, children: messageNodes(attachment.message, 24) }];
  }
  const named = string(0x3707, attachment.name);
  if ("link" in attachment) return [table(8, []), ...named];
  return [
    table(8, attachment.isHidden === true ? [entry(0x7ffe, types.boolean, long(1))] : []),
    ...named,
    ...string(0x370e, attachment.mediaType),
    ...string(0x3712, attachment.contentId),
    stream(0x3701, types.binary, Buffer.from(attachment.data as Uint8Array)),
  ];
}

function stream(id: number, type: number, data: Uint8Array): CompoundNode {
  return { name: `__substg1.0_${hex(id, 4)}${hex(type, 4)}`, data };
}

function table(headerBytes: number, entries: readonly Buffer[]): CompoundNode {
  return { name: "__properties_version1.0", data: Buffer.concat([Buffer.alloc(headerBytes), ...entries]) };
}

function entry(id: number, type: number, value: Buffer): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt32LE(id * 65_536 + type, 0);
  record.writeUInt32LE(6, 4);
  value.copy(record, 8);
  return record;
}

function long(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Tenths of microseconds since 1601. */
function fileTime(date: Date): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(date.getTime()) * 10_000n + 116_444_736_000_000_000n);
  return bytes;
}

/** RTF as MS-OXRTFCP lets a program store it: not compressed. */
function storedRtf(rtf: string): Buffer {
  const text = Buffer.from(rtf, "latin1");
  const header = Buffer.alloc(16);
  header.writeUInt32LE(text.length + 12, 0);
  header.writeUInt32LE(text.length, 4);
  header.write("MELA", 8, "latin1");
  return Buffer.concat([header, text]);
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
