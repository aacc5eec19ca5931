import { documentError } from "./document-errors.ts";

/**
 * The container of Outlook messages and of Office files before 2007 (MS-CFB): a small file system of sectors, whose
 * chains and directory are checked here before a parser that trusts them follows them.
 */
export const compoundSignature = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

const endOfChain = 0xff_ff_ff_fe;
/** An unused sector, and the absence of a directory entry. */
const noEntry = 0xff_ff_ff_ff;
const headerBytes = 512;
const entryBytes = 128;
const fatSectorsInHeader = 109;
const miniSectorBytes = 64;
/** Below this a stream lies in the mini stream. */
const miniCutoffBytes = 4096;
const maxStorageDepth = 64;

const storage = 1;
const stream = 2;

/** An entry right under the root: its name, and where in the file its record begins. */
type CompoundEntry = { name: string; recordOffset: number };

/**
 * Walks all that can be reached from the root: each sector and each record belongs to one stream, no chain goes in a
 * circle or leaves the file, no stream is longer than its sectors. What passes costs its reader no more than its size.
 *
 * @throws AnnealError DOCUMENT_DAMAGED where something is missing, DOCUMENT_HOSTILE where the parts refer to each other
 *   as no program writes them.
 */
export function checkCompoundFile(bytes: Uint8Array): CompoundEntry[] {
  return new CompoundCheck(bytes).run();
}

class CompoundCheck {
  private readonly bytes: Buffer;
  private readonly sectorBytes: number;
  private readonly sectorCount: number;
  private readonly fat: number[];
  private readonly taken: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length < headerBytes) throw damaged("it is cut off");
    const shift = this.bytes.readUInt16LE(30);
    if ((shift !== 9 && shift !== 12) || this.bytes.readUInt16LE(32) !== 6) throw damaged("its header makes no sense");
    this.sectorBytes = 1 << shift;
    this.sectorCount = Math.ceil(Math.max(0, bytes.length - this.sectorBytes) / this.sectorBytes);
    this.taken = new Uint8Array(this.sectorCount);
    this.fat = this.readFat();
  }

  run(): CompoundEntry[] {
    const directory = this.chain(this.bytes.readUInt32LE(0x30));
    const mini = this.readMiniTable();
    const perSector = this.sectorBytes / entryBytes;
    const count = directory.length * perSector;
    const offsetOf = (entry: number) =>
      this.offsetOf(directory[Math.floor(entry / perSector)]!) + (entry % perSector) * entryBytes;
    // A last sector that is cut off lacks the records at its end.
    const recordOf = (entry: number) => {
      if (entry >= count || offsetOf(entry) + entryBytes > this.bytes.length) throw damaged("its directory is cut off");
      return this.bytes.subarray(offsetOf(entry), offsetOf(entry) + entryBytes);
    };
    const root = recordOf(0);
    // Some programs give an empty mini stream a start all the same, which readers follow.
    const taken = root.readUInt32LE(0x78) === 0 ? new Uint8Array(this.sectorCount) : this.taken;
    const miniStreamBytes = follow(root.readUInt32LE(0x74), this.fat, taken).length * this.sectorBytes;
    const seen = new Uint8Array(count);
    const top: CompoundEntry[] = [];
    const pending = [{ entry: root.readUInt32LE(0x4c), depth: 1 }];
    while (pending.length > 0) {
      const { entry, depth } = pending.pop()!;
      if (entry === noEntry) continue;
      const record = recordOf(entry);
      if (entry === 0 || seen[entry] === 1) throw hostile("its directory goes in a circle");
      if (depth > maxStorageDepth) throw hostile(`its storages nest more than ${maxStorageDepth} deep`);
      seen[entry] = 1;
      if (depth === 1) top.push({ name: nameOf(record), recordOffset: offsetOf(entry) });
      pending.push({ entry: record.readUInt32LE(0x44), depth }, { entry: record.readUInt32LE(0x48), depth });
      if (record[0x42] === storage) pending.push({ entry: record.readUInt32LE(0x4c), depth: depth + 1 });
      else if (record[0x42] === stream) this.checkStream(record, mini, miniStreamBytes);
      else throw damaged("its directory makes no sense");
    }
    return top;
  }

  private checkStream(record: Buffer, mini: { table: number[]; taken: Uint8Array }, miniStreamBytes: number): void {
    const size = record.readUInt32LE(0x78);
    const start = record.readUInt32LE(0x74);
    if (size === 0) return;
    if (size > this.bytes.length) throw damaged("a part of it is longer than the file");
    if (size >= miniCutoffBytes) {
      if (this.chain(start).length * this.sectorBytes < size) throw damaged("a part of it is cut off");
      return;
    }
    const chain = follow(start, mini.table, mini.taken);
    if (chain.length * miniSectorBytes < size) throw damaged("a part of it is cut off");
    if (chain.some((sector) => (sector + 1) * miniSectorBytes > miniStreamBytes))
      throw damaged("a part of it is missing");
  }

  /** Where the sectors of the file's allocation table lie: the first 109 in the header, further ones in a chain. */
  private readFat(): number[] {
    const count = this.bytes.readUInt32LE(0x2c);
    const furtherCount = this.bytes.readUInt32LE(0x48);
    if (count > this.sectorCount || furtherCount > this.sectorCount) throw damaged("it is cut off");
    const sectors: number[] = [];
    for (let index = 0; index < Math.min(count, fatSectorsInHeader); index += 1) {
      sectors.push(this.bytes.readUInt32LE(0x4c + index * 4));
    }
    let further = this.bytes.readUInt32LE(0x44);
    for (let index = 0; index < furtherCount && further !== endOfChain && further !== noEntry; index += 1) {
      this.take(further);
      const numbers = this.readSector(further);
      sectors.push(...numbers.slice(0, -1).slice(0, count - sectors.length));
      further = numbers.at(-1) ?? endOfChain;
    }
    return sectors.flatMap((sector) => {
      this.take(sector);
      return this.readSector(sector);
    });
  }

  private readMiniTable(): { table: number[]; taken: Uint8Array } {
    const table = this.chain(this.bytes.readUInt32LE(0x3c)).flatMap((sector) => this.readSector(sector));
    return { table, taken: new Uint8Array(table.length) };
  }

  private chain(start: number): number[] {
    return follow(start, this.fat, this.taken);
  }

  private take(sector: number): void {
    if (sector >= this.sectorCount) throw damaged("it is cut off");
    if (this.taken[sector] === 1) throw hostile("two parts of it lie in one place");
    this.taken[sector] = 1;
  }

  private offsetOf(sector: number): number {
    return (sector + 1) * this.sectorBytes;
  }

  private readSector(sector: number): number[] {
    const start = this.offsetOf(sector);
    if (start + this.sectorBytes > this.bytes.length) throw damaged("it is cut off");
    return Array.from({ length: this.sectorBytes / 4 }, (_, index) => this.bytes.readUInt32LE(start + index * 4));
  }
}

/** The sectors of one chain; `taken` holds those that a chain has had already. */
function follow(start: number, table: readonly number[], taken: Uint8Array): number[] {
  const chain: number[] = [];
  for (let sector = start; sector !== endOfChain && sector !== noEntry;) {
    const next = table[sector];
    if (next === undefined || sector >= taken.length) throw damaged("a part of it lies outside the file");
    if (taken[sector] === 1) throw hostile("two parts of it lie in one place, or one goes in a circle");
    taken[sector] = 1;
    chain.push(sector);
    sector = next;
  }
  return chain;
}

function nameOf(record: Buffer): string {
  const length = Math.min(record.readUInt16LE(0x40), 64);
  return record.toString("utf16le", 0, Math.max(0, length - 2));
}

function damaged(what: string): Error {
  return documentError("DOCUMENT_DAMAGED", `The file is damaged: ${what}.`);
}

function hostile(what: string): Error {
  return documentError("DOCUMENT_HOSTILE", `The file is built as no program writes it: ${what}.`);
}
