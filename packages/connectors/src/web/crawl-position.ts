import { createHash, hash } from "node:crypto";
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { Cursor } from "@anneal/core/connect/change";
import { z } from "zod";
import type { WebConfig } from "./config.ts";
import { savedTrapsSchema, type SavedTraps } from "./crawl-traps.ts";

/**
 * Where a crawl stands, small enough for a checkpoint: which addresses were visited, as digests; which were found and
 * wait, whole, save those that a sitemap names again; and how far it had come. A crawl that was ended there goes on
 * with the addresses that wait and asks for no visited page again.
 */
export type CrawlPosition = {
  /** Pages that are there: documents, unchanged ones, failed ones. */
  alive: DigestList;
  /** Visited and no document: redirects, missing pages, copies. */
  passed: DigestList;
  waiting: Waiting[];
  /** Found as well, and beyond the limit of pages: only their number matters. */
  beyondLimit: number;
  traps: SavedTraps;
  scanned: number;
  complete: boolean;
  /** A known page asked to sign in: what is missing may be there for those who are. */
  signedOut: boolean;
  startedAtMs: number;
  /** Where its addresses led to, of a crawl that waits between its pages. */
  landed: Record<string, string> | null;
};

export type Waiting = { url: string; depth: number };

/** What one crawl leaves to the next besides its documents. */
export type Waypoints = {
  /** Feeds that pages named, which may not be read again when they are unchanged. */
  feeds: string[];
  /** Visited and no document, by which the links of unchanged pages are told. null: there were too many. */
  passed: string[] | null;
};
export const noWaypoints: Waypoints = { feeds: [], passed: [] };

const digestBytes = 5;

/** Addresses by five bytes each. Two with one digest (chance n^2/2^41, 5e-5 at ten thousand) cost a visit in one crawl. */
export class DigestList {
  readonly #digests = new Set<string>();

  add(url: string): void {
    this.#digests.add(digestOf(url));
  }

  has(url: string): boolean {
    return this.#digests.has(digestOf(url));
  }

  get size(): number {
    return this.#digests.size;
  }

  toBytes(): Buffer {
    return Buffer.from([...this.#digests].join(""), "latin1");
  }

  static fromBytes(bytes: Buffer): DigestList {
    const list = new DigestList();
    for (let start = 0; start + digestBytes <= bytes.length; start += digestBytes) {
      list.#digests.add(bytes.toString("latin1", start, start + digestBytes));
    }
    return list;
  }
}

function digestOf(url: string): string {
  return hash("sha256", url, "buffer").toString("latin1", 0, digestBytes);
}

/** Two kilobytes below what the consumer of a cursor may hold, 64 KiB. */
const maxPositionChars = 46 * 1024;
const maxWaypointsChars = 14 * 1024;
/** A site changes; after a day a crawl is another one. */
const maxAgeMs = 24 * 60 * 60 * 1000;

const cursorSchema = z.looseObject({
  version: z.literal(2),
  waypoints: z.string(),
  position: z
    .looseObject({ settings: z.string(), alive: z.string(), passed: z.string(), rest: z.string() })
    .nullable()
    .default(null),
});
const restSchema = z.object({
  waiting: z.array(z.tuple([z.string(), z.number()])),
  traps: savedTrapsSchema,
  beyondLimit: z.number(),
  scanned: z.number(),
  complete: z.boolean(),
  signedOut: z.boolean(),
  startedAtMs: z.number(),
  landed: z.record(z.string(), z.string()).nullable().default(null),
});

const waypointsSchema = z.object({ feeds: z.array(z.string()), passed: z.array(z.string()).nullable() });

type StoredPosition = NonNullable<z.infer<typeof cursorSchema>["position"]>;

/** @returns null when the crawl has outgrown a checkpoint; the last position that fitted stays a good one */
export function encodePosition(position: CrawlPosition, config: WebConfig): StoredPosition | null {
  const { alive, passed, waiting, ...others } = position;
  // Four characters for three bytes.
  if ((alive.size + passed.size) * digestBytes * (4 / 3) > maxPositionChars) return null;
  const rest = { waiting: waiting.map(({ url, depth }) => [url, depth]), ...others };
  const stored = {
    settings: settingsOf(config),
    alive: alive.toBytes().toString("base64"),
    passed: passed.toBytes().toString("base64"),
    rest: pack(rest),
  };
  return JSON.stringify(stored).length > maxPositionChars ? null : stored;
}

export function cursorOf(waypoints: Waypoints, position: StoredPosition | null): Cursor {
  const packed = pack(waypoints);
  return {
    version: 2,
    waypoints: packed.length > maxWaypointsChars ? pack({ ...waypoints, passed: null }) : packed,
    ...(position === null ? {} : { position }),
  };
}

/** A cursor of another version, other settings or another day says nothing, and the crawl begins at its start. */
export function readCursor(
  cursor: Cursor | null,
  config: WebConfig,
  nowMs: number,
): { waypoints: Waypoints; position: CrawlPosition | null } {
  const parsed = cursorSchema.safeParse(cursor);
  if (!parsed.success) return { waypoints: noWaypoints, position: null };
  const { waypoints, position } = parsed.data;
  return {
    waypoints: waypointsSchema.parse(unpack(waypoints)),
    position: position === null ? null : readPosition(position, config, nowMs),
  };
}

function readPosition(stored: StoredPosition, config: WebConfig, nowMs: number): CrawlPosition | null {
  if (stored.settings !== settingsOf(config)) return null;
  const { waiting, ...rest } = restSchema.parse(unpack(stored.rest));
  // One that waits between its pages takes as long as it is told to.
  if (rest.landed === null && nowMs - rest.startedAtMs > maxAgeMs) return null;
  return {
    ...rest,
    alive: DigestList.fromBytes(Buffer.from(stored.alive, "base64")),
    passed: DigestList.fromBytes(Buffer.from(stored.passed, "base64")),
    waiting: waiting.map(([url, depth]) => ({ url, depth })),
  };
}

/** Addresses of one site have most of their characters in common. */
function pack(value: unknown): string {
  return deflateRawSync(JSON.stringify(value)).toString("base64");
}

function unpack(packed: string): unknown {
  return JSON.parse(inflateRawSync(Buffer.from(packed, "base64"), { maxOutputLength: 64 * 1024 * 1024 }).toString());
}

function settingsOf(config: WebConfig): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("base64url").slice(0, 16);
}
