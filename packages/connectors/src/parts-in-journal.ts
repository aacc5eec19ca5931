import { isDeepStrictEqual } from "node:util";
import type { Change, Cursor, JournalEntry } from "@anneal/core/connect/change";
import { z } from "zod";
import type { ReadRequest } from "./connector.ts";

type Position = Pick<ReadRequest<unknown, unknown>, "cursor" | "journal">;
type Json = Record<string, unknown>;
/** What a cursor has for each part, by the place and the part's key. */
type Parts = Map<string, unknown>;

/** Of a part that has nothing any more, the key alone. */
const entrySchema = z.object({ parts: z.array(z.tuple([z.string()]).rest(z.unknown())) });

/** Of several parts in one entry, which may have 64 KiB as JSON. */
const maxEntryChars = 32 * 1024;
/** A journal with so many more parts than twice those that count begins anew. */
const spareParts = 100;

/**
 * A position that has something for each drive, channel or table grows with the source, and a cursor is written whole at each
 * checkpoint. Its parts are kept in the journal instead, to which a checkpoint adds those that moved. The `read` within knows
 * nothing of it: it is given the cursor as it last wrote it.
 *
 * @param places where the cursor has a record with a key for each part; "files.drives" is within another object
 */
export function keepPartsInJournal<Request extends Position>(
  places: readonly string[],
  read: (request: Request) => AsyncIterable<Change>,
): (request: Request) => AsyncIterable<Change> {
  return (request) => readWithParts(request, places, read);
}

async function* readWithParts<Request extends Position>(
  request: Request,
  places: readonly string[],
  read: (request: Request) => AsyncIterable<Change>,
): AsyncIterable<Change> {
  const before = await readPosition(request, places);
  let { hasJournal, stored, written } = before;
  for await (const change of read({ ...request, cursor: before.cursor })) {
    if (change.type !== "checkpoint") {
      yield change;
      continue;
    }
    const parts = partsOf(change.cursor, places);
    const moved = differences(stored, parts);
    const anew = !hasJournal || written + moved.length > 2 * parts.size + spareParts;
    const added = anew ? [...parts] : moved;
    written = added.length + (anew ? 0 : written);
    stored = parts;
    hasJournal = true;
    const cursor: Cursor = { ...withoutParts(change.cursor, places), version: change.cursor.version };
    if (!anew && added.length === 0) yield { ...change, cursor };
    else yield { ...change, cursor, journal: { anew, entries: entriesOf(added) } };
  }
}

/** The cursor with its parts, as it was before these were taken out of it. */
export async function wholeCursor(position: Position, places: readonly string[]): Promise<Cursor | null> {
  return (await readPosition(position, places)).cursor;
}

async function readPosition({ cursor, journal }: Position, places: readonly string[]) {
  const stored: Parts = new Map();
  // Without a cursor a journal says nothing; and one of an earlier release has its parts itself.
  if (cursor === null || places.some((place) => recordAt(cursor, place) !== undefined)) {
    return { cursor, hasJournal: false, stored, written: 0 };
  }
  let written = 0;
  for await (const entry of journal ?? []) {
    for (const [id, ...state] of entrySchema.parse(entry).parts) {
      written += 1;
      if (state.length === 0) stored.delete(id);
      else stored.set(id, state[0]);
    }
  }
  let whole: Json = cursor;
  for (const place of places) {
    const prefix = `${place} `;
    const record = [...stored].flatMap(([id, state]) =>
      id.startsWith(prefix) ? [[id.slice(prefix.length), state]] : [],
    );
    whole = withRecordAt(whole, place.split("."), Object.fromEntries(record) as Json);
  }
  return { cursor: { ...whole, version: cursor.version }, hasJournal: true, stored, written };
}

function partsOf(cursor: Json, places: readonly string[]): Parts {
  return new Map(
    places.flatMap((place) =>
      Object.entries(recordAt(cursor, place) ?? {}).map(([key, state]) => [`${place} ${key}`, state] as const),
    ),
  );
}

function withoutParts(cursor: Json, places: readonly string[]): Json {
  return places.reduce((rest, place) => withRecordAt(rest, place.split("."), undefined), cursor);
}

type Moved = [id: string] | [id: string, state: unknown];

function differences(before: Parts, after: Parts): Moved[] {
  const gone = [...before.keys()].filter((id) => !after.has(id)).map((id): Moved => [id]);
  const moved = [...after].filter(([id, state]) => !before.has(id) || !isDeepStrictEqual(before.get(id), state));
  return [...gone, ...moved];
}

function entriesOf(parts: readonly Moved[]): JournalEntry[] {
  const entries: { parts: Moved[] }[] = [];
  let room = 0;
  for (const part of parts) {
    const chars = JSON.stringify(part).length;
    if (chars > room) {
      entries.push({ parts: [] });
      room = maxEntryChars;
    }
    entries.at(-1)!.parts.push(part);
    room -= chars;
  }
  return entries;
}

function recordAt(cursor: Json, place: string): Json | undefined {
  const found = place.split(".").reduce((at: unknown, key) => (isRecord(at) ? at[key] : undefined), cursor);
  return isRecord(found) ? found : undefined;
}

/** Nothing is changed where what it would lie in is not there. */
function withRecordAt(cursor: Json, [key = "", ...below]: string[], record: Json | undefined): Json {
  const { [key]: inner, ...rest } = cursor;
  if (below.length > 0) return isRecord(inner) ? { ...cursor, [key]: withRecordAt(inner, below, record) } : cursor;
  return record === undefined ? rest : { ...rest, [key]: record };
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
