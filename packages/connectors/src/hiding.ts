import { nobody } from "@anneal/core/access/acl";
import type { Change, Cursor, KnownItems } from "@anneal/core/connect/change";
import { isAnnealError, type ErrorReport } from "@anneal/core/errors";
import { aclChange } from "./acl-change.ts";
import { bringsReadersAt, type ReaderRules } from "./reader-rules.ts";

/**
 * Takes known documents from everybody, where the source does not tell any more who reads them: it may show them to fewer
 * people than before, the connector's own account not among them
 * (docs/decisions/2026-11-30-what-is-held-back-is-nobodys.md).
 */
export type Hiding = {
  /** Whether a document brings its own readers; any other keeps the source's audience. */
  concerns(ref: string): boolean;
  /** Null where there is nothing to change. */
  changeOf(ref: string): Promise<Change | null>;
};

/** For sources whose documents bring no readers, or have those that the settings name. */
export const keptReaders: Hiding = { concerns: () => false, changeOf: async () => null };

/**
 * @param hide leaves a fingerprint that differs in its audience alone, so that the readers come back with the document,
 * and its content need not
 */
export function hidingOf(
  known: KnownItems,
  rules: ReaderRules,
  hide: (ref: string, before: string | null) => Change | null = (ref, before) => aclChange(ref, before, nobody),
): Hiding {
  const concerns = (ref: string) => bringsReadersAt(rules, ref);
  return {
    concerns,
    changeOf: async (ref) => (concerns(ref) ? hide(ref, await known.fingerprintOf(ref)) : null),
  };
}

/** Whether a part of a source was refused or not found, rather than out of reach for now. */
export function isClosed({ code }: Pick<ErrorReport, "code">): boolean {
  return code === "SOURCE_FORBIDDEN" || code === "SOURCE_NOT_FOUND";
}

/**
 * For a directory's reading, of what belongs to a place that is closed to the connector: nothing. A sync asks for people first,
 * and where that were an error it would never come to the documents, which are to be hidden then.
 */
export function noneIfClosed(error: unknown): null {
  if (isAnnealError(error) && isClosed(error)) return null;
  throw error;
}

/**
 * Hides what lies in places that were closed to the connector: a folder, a space, a drive. They may have been closed to
 * everybody.
 *
 * @param places what the refs in them begin with: "" for all there is
 */
export async function* hideBelow(known: KnownItems, places: readonly string[], hiding: Hiding): AsyncIterable<Change> {
  if (places.length === 0) return;
  yield* hideWhere(known, (ref) => places.some((place) => ref.startsWith(place)), hiding);
}

/** The same, where it is not told by what refs begin with alone. */
export async function* hideWhere(
  known: KnownItems,
  isHidden: (ref: string) => boolean,
  hiding: Hiding,
): AsyncIterable<Change> {
  for await (const ref of known.refs()) {
    // A place itself is known as the failure that it is.
    if (ref.endsWith("/") || !isHidden(ref)) continue;
    const change = await hiding.changeOf(ref);
    if (change !== null) yield change;
  }
}

/**
 * Hides all there is, where a source ends with `error` because what its settings name is refused or not found.
 *
 * @param anew the position to go on from then: no feed tells of what was hidden, once it is there again
 */
export async function* hideSource(
  error: unknown,
  known: KnownItems,
  hiding: Hiding,
  anew: Cursor,
): AsyncIterable<Change> {
  if (!isAnnealError(error) || !isClosed(error)) return;
  let isFirst = true;
  for await (const change of hideBelow(known, [""], hiding)) {
    if (isFirst) yield { type: "checkpoint", cursor: anew, scanned: 0, total: null };
    isFirst = false;
    yield change;
  }
}
