import { hash } from "node:crypto";
import { aclFingerprint, type Acl, type Principal } from "@anneal/core/access/acl";
import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { contentOf } from "../content.ts";
import { tooLarge } from "../failure.ts";
import type { SqlConfig } from "./config.ts";
import type { Dialect, Relation, SqlSession } from "./dialect.ts";
import { renderRow } from "./row-document.ts";
import type { Row } from "./rows.ts";

/** @returns null for a row that is as it was */
export async function changeOf<Session extends SqlSession>(
  dialect: Dialect<Session>,
  config: SqlConfig,
  relation: Relation,
  row: Row,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  const ref = refOf(relation, row);
  const { key, title, markdown } = renderRow(relation, row, dialect.formatValue);
  const facts = {
    ref,
    uri: uriOf(dialect, config, relation, key),
    title,
    modifiedAt: modifiedAtOf(dialect, relation, row),
    acl: aclOf(dialect, config, relation, row),
    mark: markOf(relation, row),
  };
  return compareDocument(facts, markdown, known, maxBytes);
}

/** The watermark as it stands in the row; null where there is none to compare. */
export function markOf({ watermark }: Relation, row: Row): string | null {
  return watermark === null ? null : (row.get(watermark.name) ?? null);
}

/**
 * What a document of any database is compared by: its text, and apart from it who may read it. The watermark, where there
 * is one, is kept beside them (`compareMark`).
 */
export async function compareDocument(
  { mark, ...facts }: Pick<SourceItem, "ref" | "uri" | "title" | "modifiedAt" | "acl"> & { mark: string | null },
  markdown: string,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  const { ref, acl } = facts;
  const bytes = Buffer.from(markdown);
  if (bytes.byteLength > maxBytes) {
    return { type: "failure", ref, error: tooLarge(ref, bytes.byteLength, maxBytes).toReport() };
  }
  const content = digest(markdown);
  const audience = audienceOf(acl);
  const fingerprint = writeFingerprint({ content, audience, mark: mark === null ? null : digest(mark) });
  const stored = await known.fingerprintOf(ref);
  if (stored === fingerprint) return null;
  const item: SourceItem = { ...facts, mediaType: "text/markdown", sizeBytes: bytes.byteLength, fingerprint };
  const before = stored === null ? null : readFingerprint(stored);
  if (before?.content === content) {
    // Touched, and nothing else: the new watermark is stored without reading anything.
    if (before.audience === audience) return { type: "moved", fromRef: ref, item };
    // To or from the source's default audience is for the consumer to apply, with the whole item.
    if (acl !== null && before.audience !== everybodys) return { type: "acl", ref, acl, fingerprint };
  }
  return { type: "upsert", item, content: contentOf(bytes) };
}

/**
 * Whether a row that was not read again still has the watermark that it was read with. One that was written by a clock
 * that had gone back has another, which is lower than what was read up to. Of one that the consumer could not store
 * nothing is kept ("unread"), or what was read before it changed.
 */
export async function compareMark(
  ref: string,
  mark: string | null,
  known: KnownItems,
): Promise<"same" | "other" | "unread"> {
  const stored = await known.fingerprintOf(ref);
  const before = stored === null ? null : readFingerprint(stored);
  if (before === null || before.content === "") return "unread";
  return before.mark === (mark === null ? null : digest(mark)) ? "same" : "other";
}

/**
 * For what was not read again: whether somebody else may read it by now. Whoever changes an owner need not move the
 * watermark.
 */
export async function compareAudience(ref: string, acl: Acl | null, known: KnownItems): Promise<Change | null> {
  if (acl === null) return null;
  const stored = await known.fingerprintOf(ref);
  if (stored === null) return null;
  const before = readFingerprint(stored);
  const audience = audienceOf(acl);
  if (before.audience === everybodys || before.audience === audience) return null;
  return { type: "acl", ref, acl, fingerprint: writeFingerprint({ ...before, audience }) };
}

export function refPrefix(relationName: string): string {
  return `${encodeURIComponent(relationName)}/`;
}

export function refOf(relation: Relation, row: Row): string {
  const key = relation.key.map((column) => encodeURIComponent(row.get(column.name) ?? "")).join(",");
  return refPrefix(relation.name) + key;
}

/** Shown to readers, so neither user nor password is in it. */
function uriOf<Session extends SqlSession>(
  dialect: Dialect<Session>,
  config: SqlConfig,
  relation: Relation,
  key: string[],
): string {
  const params = new URLSearchParams(
    relation.key.map((column, index): [string, string] => [column.name, key[index] ?? ""]),
  );
  const port = config.port === dialect.defaultPort ? "" : `:${config.port}`;
  return `${dialect.kind}://${config.host}${port}/${encodeURIComponent(config.database)}/${encodeURIComponent(relation.name)}?${params}`;
}

function modifiedAtOf<Session extends SqlSession>(
  dialect: Dialect<Session>,
  relation: Relation,
  row: Row,
): string | null {
  if (relation.watermark?.category !== "D") return null;
  const value = row.get(relation.watermark.name);
  if (value === null || value === undefined) return null;
  const time = new Date(dialect.formatValue(relation.watermark, value));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** A row without an owner is readable by nobody: who owned it is not known, which is not the same as everyone. */
export function aclOf<Session extends SqlSession>(
  dialect: Dialect<Session>,
  config: SqlConfig,
  relation: Relation,
  row: Row,
): Acl | null {
  if (relation.owner === null) return null;
  const value = row.get(relation.owner.name) ?? null;
  const owners = value === null ? [] : dialect.readOwners(relation.owner, value);
  return { allow: owners.map((id) => ownerPrincipal(dialect.kind, config, id)), deny: [] };
}

export function ownerPrincipal(kind: string, config: { host: string; database: string }, id: string): Principal {
  return { source: kind, tenant: `${config.host}/${config.database}`, kind: "user", id };
}

export function duplicateKey(relation: Relation, ref: string): AnnealError {
  const key = relation.key.map((column) => column.name).join(", ");
  return new AnnealError("CONFLICT", `"${ref}" is the key of more than one row; only the first was read.`, {
    action: `Name key columns that tell the rows of "${relation.name}" apart; now it is (${key}).`,
  });
}

/** Digests of a row's text, of who may read it (or `everybodys`), and of its watermark. */
type RowFingerprint = { content: string; audience: string; mark: string | null };

/** The source's default audience. */
const everybodys = "default";

function audienceOf(acl: Acl | null): string {
  return acl === null ? everybodys : digest(aclFingerprint(acl));
}

function writeFingerprint({ content, audience, mark }: RowFingerprint): string {
  return `${content}-${audience}${mark === null ? "" : `:${mark}`}`;
}

/** A digest has no colon in it, but may have a hyphen. */
function readFingerprint(stored: string): RowFingerprint {
  const [main = "", mark = null] = stored.split(":");
  return { content: main.slice(0, digestChars), audience: main.slice(digestChars + 1), mark };
}

const digestChars = 32;

export function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, digestChars);
}
