import { hash } from "node:crypto";
import { and, eq, isNotNull, isNull, or, sql, type SQL } from "drizzle-orm";
import { documents, maxIndexedRefBytes } from "../schema.ts";

// Refs of any length, found by an index. What an index answers under row-level security must leak nothing of other rows, as
// PostgreSQL sees it: comparisons do, and functions of a column mostly do not. So a long ref's digest is a column.

/** What a row with this ref has as its `refDigest`: SHA-256, as no source must be able to choose two refs that pass for one. */
export function refDigestOf(ref: string): Buffer | null {
  return Buffer.byteLength(ref) > maxIndexedRefBytes ? hash("sha256", ref, "buffer") : null;
}

/** Both as a row has them. */
export const refColumns = (ref: string) => ({ ref, refDigest: refDigestOf(ref) });

export const isShort = isNull(documents.refDigest);
export const isLong = isNotNull(documents.refDigest);
/** To compare with and order by: code-point order, as both indexes have it. */
export const byCodePoint = sql`${documents.ref} collate "C"`;

export function hasRef(ref: string): SQL | undefined {
  const digest = refDigestOf(ref);
  return digest === null ? and(isShort, eq(byCodePoint, ref)) : eq(documents.refDigest, digest);
}

/** One parameter, or two, however many they are. */
export function hasOneOf(refs: readonly string[]): SQL | undefined {
  const short = refs.filter((ref) => refDigestOf(ref) === null);
  const long = refs.flatMap((ref) => refDigestOf(ref) ?? []);
  const isOneOfShort = and(isShort, sql`${byCodePoint} = any(${sql.param(short)}::text[])`);
  if (long.length === 0) return isOneOfShort;
  return or(isOneOfShort, sql`${documents.refDigest} = any(${sql.param(long)}::bytea[])`);
}
