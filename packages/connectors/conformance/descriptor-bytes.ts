export const fullControl = 0x001f_01ff;
export const readOnly = 0x0012_0089;
export const readAndExecute = 0x0012_00a9;

/** `type` 0 allows and 1 denies; `flags` 0x10 marks an inherited entry. */
export type Ace = { type: number; flags?: number; mask?: number; sid: string; objectFlags?: number };

function sidBytes(sid: string): Buffer {
  const [, revision, authority, ...parts] = sid.split("-");
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes.writeUInt8(Number(revision), 0);
  bytes.writeUInt8(parts.length, 1);
  bytes.writeUIntBE(Number(authority), 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(Number(part), 8 + 4 * index));
  return bytes;
}

function aceBytes({ type, flags = 0, mask = readOnly, sid, objectFlags }: Ace): Buffer {
  const object = objectFlags === undefined ? Buffer.alloc(0) : Buffer.alloc(4 + 16);
  if (objectFlags !== undefined) object.writeUInt32LE(objectFlags, 0);
  const body = Buffer.concat([object, sidBytes(sid)]);
  const head = Buffer.alloc(8);
  head.writeUInt8(type, 0);
  head.writeUInt8(flags, 1);
  head.writeUInt16LE(8 + body.length, 2);
  head.writeUInt32LE(mask, 4);
  return Buffer.concat([head, body]);
}

/** A self-relative security descriptor, [MS-DTYP] 2.4.6; `aces` null: a descriptor without a DACL */
export function descriptorBytes(aces: readonly Ace[] | null, owner: string): Buffer {
  const ownerBytes = sidBytes(owner);
  const head = Buffer.alloc(20);
  head.writeUInt8(1, 0);
  head.writeUInt16LE(aces === null ? 0x8000 : 0x8004, 2);
  head.writeUInt32LE(20, 4);
  if (aces === null) return Buffer.concat([head, ownerBytes]);
  head.writeUInt32LE(20 + ownerBytes.length, 16);
  const body = Buffer.concat(aces.map(aceBytes));
  const acl = Buffer.alloc(8);
  acl.writeUInt8(2, 0);
  acl.writeUInt16LE(8 + body.length, 2);
  acl.writeUInt16LE(aces.length, 4);
  return Buffer.concat([head, ownerBytes, acl, body]);
}
