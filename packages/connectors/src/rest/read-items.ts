import { hash } from "node:crypto";
import type { Change, Cursor } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ReadRequest } from "../connector.ts";
import { hidingOf } from "../hiding.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { ruleOfItems, type ItemConfig, type RestSecrets } from "./config.ts";
import { changesOf, refOf, timeOf, withToldGroups, type Mapping } from "./item.ts";
import type { ItemListing, ItemPage } from "./pages.ts";
import { formatServiceTime, type ServiceTime } from "./watermark.ts";

const cursorSchema = z.object({
  version: z.literal(1),
  /** A digest of the settings, and of the groups that can be denied: with others, all is listed again. */
  settings: z.string(),
  since: z.object({ timeMs: z.number(), form: z.enum(["iso", "date", "seconds", "milliseconds"]) }).nullable(),
  completeAtMs: z.number().nullable(),
  /** One moment by the service's clock and by ours: the last sync's. */
  clocks: z.object({ serviceMs: z.number(), oursMs: z.number() }).nullable().default(null),
});
type ItemCursor = z.infer<typeof cursorSchema>;

/** What a service commits late carries an earlier time than what was read already. */
const overlapMs = 10 * 60_000;
const hourMs = 3_600_000;
/** Stands for items that cannot be told apart, of which no one has a name. */
const namelessRef = "items without an id";

/**
 * Reads what is new, either by listing everything (then what is missing is deleted) or, between two complete listings,
 * by asking for what changed since. The time asked for moves only when everything before it was read without a failure.
 * Where the service's clock was set back, what changed since may carry times before the one asked for: then everything is
 * listed.
 */
export async function* readItems(
  { config, cursor, known, context }: ReadRequest<ItemConfig, RestSecrets>,
  opened: Mapping,
  listing: ItemListing,
): AsyncIterable<Change> {
  const runAtMs = Date.now();
  const mapping = await withToldGroups(opened, config, listing);
  const before = cursorOf(cursor, config, mapping);
  // Deletions that a person confirmed are found by listing everything.
  let incremental = !context.deletions.confirmed && isIncremental(before, config, runAtMs);
  const since = incremental && before.since !== null ? formatServiceTime(overlapping(before.since)) : null;
  const seen = new SeenRefs();
  let scanned = 0;
  let pages = 0;
  let failed = false;
  let startedAtMs = 0;
  let newest: ServiceTime | null = before.since;

  async function* list(): AsyncIterable<ItemPage> {
    if (since === null) return yield* listing.list(null);
    for await (const page of listing.list(since)) {
      if (pages === 0 && wentBack(before, page.answeredAtMs)) {
        incremental = false;
        return yield* listing.list(null);
      }
      yield page;
    }
  }
  for await (const { items, answeredAtMs, total } of list()) {
    context.signal.throwIfAborted();
    if (pages === 0) startedAtMs = answeredAtMs;
    pages += 1;
    const onPage = new Set<string>();
    for (const value of items) {
      const ref = refOf(mapping, value);
      if (ref === null) {
        if (seen.add(namelessRef)) yield { type: "failure", ref: namelessRef, error: nameless(config.id).toReport() };
        failed = true;
        continue;
      }
      if (onPage.has(ref)) {
        failed = true;
        yield { type: "failure", ref, error: sameId(ref).toReport() };
        continue;
      }
      onPage.add(ref);
      // Met again on a page that shifted, or after a listing was started anew.
      if (!seen.add(ref)) continue;
      scanned += 1;
      const time = timeOf(mapping, value);
      if (time !== null && time.timeMs > (newest?.timeMs ?? 0)) newest = time;
      const onFailure = () => (failed = true);
      for (const change of await changesOf(mapping, ref, value, known, context.limits.documentBytes, onFailure)) {
        failed ||= change.type === "failure";
        yield change;
      }
    }
    yield { type: "checkpoint", cursor: before, scanned, total, listsAll: !incremental };
  }

  let settled = true;
  if (!incremental && !seen.has(namelessRef)) {
    const isGone = (ref: string) => !seen.has(ref);
    if (listing.mayShift && (await anyOf(known.refs(), isGone))) {
      // What slipped through between two pages is met by a second look; what is gone is missing twice.
      for await (const { items } of listing.list(null)) {
        context.signal.throwIfAborted();
        for (const value of items) seen.add(refOf(mapping, value) ?? namelessRef);
      }
    }
    settled = yield* deleteMissing(known, context.deletions, hidingOf(known, ruleOfItems(config)), isGone);
  }
  const reached: ItemCursor = failed
    ? before
    : {
        ...before,
        since: atMost(newest, startedAtMs),
        completeAtMs: incremental || !settled ? before.completeAtMs : runAtMs,
        clocks: { serviceMs: startedAtMs, oursMs: runAtMs },
      };
  yield { type: "checkpoint", cursor: reached, scanned, total: scanned };
}

function cursorOf(cursor: Cursor | null, config: ItemConfig, { readers }: Mapping): ItemCursor {
  const canDeny = readers !== null && readers.deny !== null;
  // How many there are decides about none of them.
  const { total: _, ...settled } = config;
  const decides = canDeny ? [settled, [...readers.toldGroups].sort()] : settled;
  const settings = hash("sha256", JSON.stringify(decides), "base64url").slice(0, 22);
  const parsed = cursorSchema.safeParse(cursor);
  if (parsed.success && parsed.data.settings === settings) return parsed.data;
  return { version: 1, settings, since: null, completeAtMs: null, clocks: null };
}

function isIncremental({ since, completeAtMs }: ItemCursor, config: ItemConfig, nowMs: number): boolean {
  if (config.since === null || since === null || completeAtMs === null) return false;
  const ageMs = nowMs - completeAtMs;
  // A complete listing in the future is a clock that was set back.
  return ageMs >= 0 && ageMs < config.completeEveryHours * hourMs;
}

/** By more than the overlap makes up for. Its clock went as far as ours since the last sync, if nobody set either. */
function wentBack({ clocks }: ItemCursor, answeredAtMs: number): boolean {
  if (clocks === null) return false;
  const expectedMs = clocks.serviceMs + (Date.now() - clocks.oursMs);
  return answeredAtMs < expectedMs - overlapMs;
}

function overlapping(time: ServiceTime): ServiceTime {
  return { ...time, timeMs: time.timeMs - overlapMs };
}

/** What changed while it was listed may have been passed already; its time is after the listing's beginning. */
function atMost(time: ServiceTime | null, limitMs: number): ServiceTime | null {
  return time === null ? null : { ...time, timeMs: Math.min(time.timeMs, limitMs) };
}

async function anyOf(refs: AsyncIterable<string>, isWanted: (ref: string) => boolean): Promise<boolean> {
  for await (const ref of refs) if (isWanted(ref)) return true;
  return false;
}

function nameless(id: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `Some items have no usable id at "${id}"; nothing is deleted meanwhile.`, {
    action: "Name a field that every item has, with a text or a number in it.",
  });
}

function sameId(ref: string): AnnealError {
  return new AnnealError("CONFLICT", `"${ref}" is the id of more than one item; only the first was read.`, {
    action: "Name a field as the id that tells items apart.",
  });
}
