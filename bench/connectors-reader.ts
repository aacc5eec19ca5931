/**
 * One connector in a process of its own: `node connectors-reader.ts` reads what connectors-server.ts printed, reads the
 * source twice or once, as the worker does one document after the other, and prints one line of JSON. What is known of the
 * documents is kept in memory, where the worker asks its database; the journal in a file.
 */
import { createHash } from "node:crypto";
import { createReadStream, ftruncateSync, openSync, writeSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { digestOrigins } from "@anneal/core/access/acl-origins";
import type { Cursor, JournalEntry, JournalWrite, KnownItems } from "@anneal/core/connect/change";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { defaultLimits, type ConnectContext } from "@anneal/connectors/connector";
import type { EarlierLine, EarlierRun } from "./connectors-earlier.ts";
import { loadConnector } from "./connectors-load.ts";

export type ReaderResult = {
  /** Held at the end. */
  documents: number;
  /** Read by the first run, those that came again as well. */
  opened: number;
  failures: string[];
  /** The first run, which reads every content. */
  syncSeconds: number;
  /** Processor time of the first run, which a busy machine disturbs less; that of programs it starts is not in it. */
  syncCpuSeconds: number;
  /** A second run, in which nothing has changed; null where there is none. */
  again: { seconds: number; documents: number } | null;
  /** Resident memory before the first run, and the most of all runs, with that of the programs that the connector starts. */
  startBytes: number;
  peakBytes: number;
};

const { kind, config, secrets, earlier, contents, once } = JSON.parse(await text(process.stdin)) as {
  kind: string;
  config: unknown;
  secrets: unknown;
  earlier?: EarlierRun;
  /** Left unopened where only the listing is looked at. */
  contents: boolean;
  /** Without a second run. */
  once: boolean;
};
const connector = await loadConnector(kind);
const tempDir = await mkdtemp(join(tmpdir(), "anneal-bench-connector-"));
const context: ConnectContext = {
  signal: new AbortController().signal,
  tempDir,
  limits: defaultLimits,
  deletions: defaultDeletionPolicy,
  chromiumPath: null,
  ownFolders: [],
  python: { python: process.env["ANNEAL_PYTHON"] ?? "python3", pythonPath: process.env["PYTHONPATH"] },
};
/** Helpers are looked at now and then: it takes tens of milliseconds. */
const lookEveryMs = 1000;
let lookedAt = 0;
const fingerprints = new Map<string, string>();
/** Of what has any. */
const origins = new Map<string, string>();
/** Looked up by the index of a database in the worker. */
const refsByFingerprint = new Map<string, string>();
const known: KnownItems = {
  fingerprintOf: async (ref) => fingerprints.get(ref) ?? null,
  originsOf: async (ref) => origins.get(ref) ?? null,
  refsWithFingerprint: async (fingerprint) => {
    const ref = refsByFingerprint.get(fingerprint);
    return ref === undefined ? [] : [ref];
  },
  async *refs(which) {
    // What failed is not kept.
    if (which !== "unread") yield* [...fingerprints.keys()].sort();
  },
};
let cursor: Cursor | null = null;
/** A line of JSON for each entry. */
const journalFile = join(tempDir, "journal");
const journal = openSync(journalFile, "a");
let helpersBytes = 0;
const failures: string[] = [];

try {
  const startBytes = await residentBytes("self", "VmRSS");
  if (earlier !== undefined) await takeOver(earlier);
  const first = await readOnce();
  const second = once ? null : await readOnce();
  const result: ReaderResult = {
    documents: fingerprints.size,
    opened: first.opened,
    failures: failures.slice(0, 3),
    syncSeconds: first.seconds,
    syncCpuSeconds: first.cpuSeconds,
    again: second && { seconds: second.seconds, documents: second.opened },
    startBytes,
    peakBytes: (await residentBytes("self", "VmHWM")) + helpersBytes,
  };
  console.log(JSON.stringify(result));
} finally {
  await rm(tempDir, { recursive: true, force: true });
}
// Connections that a client keeps open do not keep the result waiting.
process.exit(0);

async function readOnce(): Promise<{ seconds: number; cpuSeconds: number; opened: number }> {
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  let opened = 0;
  const request = {
    config: connector.configSchema.parse(config),
    secrets: connector.secretSchema.parse(secrets),
    cursor,
    journal: readJournal(),
    known,
    context,
  };
  for await (const change of connector.read(request)) {
    if (performance.now() - lookedAt > lookEveryMs) {
      helpersBytes = Math.max(helpersBytes, await bytesOfHelpers());
      lookedAt = performance.now();
    }
    if (change.type === "checkpoint") {
      cursor = structuredClone(change.cursor);
      if (change.journal !== undefined) writeJournal(change.journal);
    } else if (change.type === "failure") failures.push(`${change.ref}: ${change.error.message}`);
    else if (change.type === "upsert") {
      if (contents) {
        const hash = createHash("sha256");
        for await (const part of await change.content.open(context.signal)) hash.update(part);
        hash.digest();
      }
      opened += 1;
      hold(change.item.ref, change.item.fingerprint);
      const { ref, acl } = change.item;
      const digest = acl && digestOrigins(acl, (text) => createHash("sha256").update(text).digest("hex"));
      if (digest) origins.set(ref, digest);
    } else failures.push(`an unexpected ${change.type}`);
  }
  const cpu = process.cpuUsage(cpuBefore);
  return { seconds: (performance.now() - startedAt) / 1000, cpuSeconds: (cpu.user + cpu.system) / 1e6, opened };
}

/** Holds what an earlier run has left, as if this process had been that run. */
async function takeOver(run: EarlierRun): Promise<void> {
  cursor = run.cursor;
  for await (const line of createInterface(createReadStream(run.file))) {
    const left = JSON.parse(line) as EarlierLine;
    writeJournal({ anew: false, entries: left.entries });
    if ("ref" in left) hold(left.ref, left.fingerprint);
  }
}

function hold(ref: string, fingerprint: string): void {
  fingerprints.set(ref, fingerprint);
  refsByFingerprint.set(fingerprint, ref);
}

/** In one file that stays open: there is an entry for each page of a website. */
function writeJournal({ anew, entries }: JournalWrite): void {
  if (anew) ftruncateSync(journal);
  writeSync(journal, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}

async function* readJournal(): AsyncIterable<JournalEntry> {
  for await (const line of createInterface(createReadStream(journalFile))) yield JSON.parse(line) as JournalEntry;
}

/** Of one process, by Linux's proc file system: VmRSS now, VmHWM at most so far; 0 for one that has ended. */
async function residentBytes(pid: string, field: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}

/** Pages that a process has in common with others, such as Node's own code, which are counted with this one. */
async function sharedBytes(pid: string): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8").catch(() => "");
  const kB = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(rollup)?.[1] ?? 0);
  return (kB("Rss") - kB("Pss")) * 1024;
}

/** Of what this process has started and what runs now, such as the program that speaks SMB. */
async function bytesOfHelpers(): Promise<number> {
  let bytes = 0;
  for (const pid of await readdir("/proc")) {
    const stat = /^\d+$/.test(pid) ? await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "") : "";
    // Behind the name, which may hold anything: the state and the parent.
    const parent = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
    if (parent !== String(process.pid)) continue;
    bytes += (await residentBytes(pid, "VmHWM")) - (await sharedBytes(pid));
  }
  return bytes;
}
