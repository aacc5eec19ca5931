/** One entry of a DACL, [MS-DTYP] 2.4.4. */
export type AccessEntry = {
  effect: "allow" | "deny";
  mask: number;
  sid: string;
  /** Meant for what is below, not for the object that carries it. */
  inheritOnly: boolean;
  /** Files in the folder that carries it inherit it. */
  objectInherit: boolean;
  /** It was given on a folder above. */
  inherited: boolean;
  /** It holds only where an expression does that is not evaluated here. */
  conditional: boolean;
};

/** `entries` is null where there is no access list at all. */
export type SecurityDescriptor = { owner: string | null; entries: AccessEntry[] | null };

/** Stands for whoever makes a file below. */
export const creatorOwner = "S-1-3-0";

const readData = 0x0000_0001;
const traverse = 0x0000_0020;
const genericAll = 0x1000_0000;
const genericExecute = 0x2000_0000;
const genericRead = 0x8000_0000;

export function concernsReading(mask: number): boolean {
  return (mask & (readData | genericAll | genericRead)) !== 0;
}

/** Of a folder: getting to what is in it, by whoever knows its name. */
export function concernsPassing(mask: number): boolean {
  return (mask & (traverse | genericAll | genericExecute)) !== 0;
}

const daclPresent = 0x0004;
const objectInheritFlag = 0x01;
const inheritOnlyFlag = 0x08;
const inheritedFlag = 0x10;

/** Types of entries by number; audit entries and what is newer say nothing about who may read. */
const entryTypes = new Map<number, { effect: AccessEntry["effect"]; conditional: boolean; object: boolean }>([
  [0x00, { effect: "allow", conditional: false, object: false }],
  [0x01, { effect: "deny", conditional: false, object: false }],
  // An object entry is about one property of an object; allowing that allows nothing of a file.
  [0x05, { effect: "allow", conditional: true, object: true }],
  [0x06, { effect: "deny", conditional: true, object: true }],
  [0x09, { effect: "allow", conditional: true, object: false }],
  [0x0a, { effect: "deny", conditional: true, object: false }],
  [0x0b, { effect: "allow", conditional: true, object: true }],
  [0x0c, { effect: "deny", conditional: true, object: true }],
]);

/**
 * A self-relative SECURITY_DESCRIPTOR, [MS-DTYP] 2.4.6.
 * @throws RangeError for one that is cut short
 */
export function parseSecurityDescriptor(bytes: Uint8Array): SecurityDescriptor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const control = view.getUint16(2, true);
  const ownerAt = view.getUint32(4, true);
  const daclAt = view.getUint32(16, true);
  return {
    owner: ownerAt === 0 ? null : readSid(view, ownerAt),
    // A list that is absent, or null, would admit everybody; who set no permission meant nobody in particular.
    entries: (control & daclPresent) === 0 || daclAt === 0 ? null : readEntries(view, daclAt),
  };
}

function readEntries(view: DataView, aclAt: number): AccessEntry[] {
  const count = view.getUint16(aclAt + 4, true);
  const entries: AccessEntry[] = [];
  let at = aclAt + 8;
  for (let index = 0; index < count; index += 1) {
    const sizeBytes = view.getUint16(at + 2, true);
    if (sizeBytes < 8) throw new RangeError("an access entry without a size");
    const type = entryTypes.get(view.getUint8(at));
    if (type !== undefined) {
      entries.push({
        effect: type.effect,
        mask: view.getUint32(at + 4, true),
        sid: readSid(view, at + 8 + (type.object ? objectBytes(view, at + 8) : 0)),
        inheritOnly: (view.getUint8(at + 1) & inheritOnlyFlag) !== 0,
        objectInherit: (view.getUint8(at + 1) & objectInheritFlag) !== 0,
        inherited: (view.getUint8(at + 1) & inheritedFlag) !== 0,
        conditional: type.conditional,
      });
    }
    at += sizeBytes;
  }
  return entries;
}

/** Flags, and the one or two GUIDs that they announce. */
function objectBytes(view: DataView, at: number): number {
  const flags = view.getUint32(at, true);
  return 4 + ((flags & 1) !== 0 ? 16 : 0) + ((flags & 2) !== 0 ? 16 : 0);
}

function readSid(view: DataView, at: number): string {
  const count = view.getUint8(at + 1);
  const authority = view.getUint16(at + 2) * 2 ** 32 + view.getUint32(at + 4);
  const parts = Array.from({ length: count }, (_, index) => view.getUint32(at + 8 + 4 * index, true));
  return ["S", view.getUint8(at), authority, ...parts].join("-");
}
