import { hash } from "node:crypto";
import { aclFingerprint, nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { contentOf } from "../content.ts";
import { tooLarge } from "../failure.ts";
import { hidingOf, type Hiding } from "../hiding.ts";
import type { ReaderRules } from "../reader-rules.ts";
import type { SqlConfig } from "./config.ts";
import type { Dialect, Relation, SqlSession } from "./dialect.ts";
import { refPrefix } from "./ref-prefix.ts";
import { renderRow } from "./row-document.ts";
import type { Row } from "./rows.ts";

/** @returns nothing for a row that is as it was */
export async function changesOf<Session extends SqlSession>(
  dialect: Dialect<Session>,
  config: SqlConfig,
  relation: Relation,
  row: Row,
  known: KnownItems,
  maxBytes: number,
): Promise<Change[]> {
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
 *
 * Who may read it comes first, and with the old text's part: where the new text is too large or cannot be stored, a
 * revocation still holds, and the text is still read again.
 */
export async function compareDocument(
  { mark, ...facts }: Pick<SourceItem, "ref" | "uri" | "title" | "modifiedAt" | "acl"> & { mark: string | null },
  markdown: string,
  known: KnownItems,
  maxBytes: number,
): Promise<Change[]> {
  const { ref, acl } = facts;
  const bytes = Buffer.from(markdown);
  const before = await readKnown(ref, known);
  const revision = audienceChange(ref, acl, before);
  const changes: Change[] = revision === null ? [] : [revision];
  if (bytes.byteLength > maxBytes) {
    changes.push({ type: "failure", ref, error: tooLarge(ref, bytes.byteLength, maxBytes).toReport() });
    return changes;
  }
  const now: RowFingerprint = {
    content: digest(markdown),
    audience: audienceOf(acl),
    mark: mark === null ? null : digest(mark),
  };
  const fingerprint = writeFingerprint(now);
  const item: SourceItem = { ...facts, mediaType: "text/markdown", sizeBytes: bytes.byteLength, fingerprint };
  // Back to the source's default audience is for the consumer to apply, with the whole item.
  const hasAudience = revision !== null || before?.audience === now.audience;
  if (before?.content !== now.content || !hasAudience) {
    changes.push({ type: "upsert", item, content: contentOf(bytes) });
  } else if (before.mark !== now.mark) {
    // Touched, and nothing else: the new watermark is stored without reading anything.
    changes.push({ type: "moved", fromRef: ref, item });
  }
  return changes;
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
  const before = await readKnown(ref, known);
  if (before === null || before.content === unread) return "unread";
  return before.mark === (mark === null ? null : digest(mark)) ? "same" : "other";
}

/**
 * For what was not read again: whether somebody else may read it by now. Whoever changes an owner need not move the
 * watermark.
 */
export async function compareAudience(ref: string, acl: Acl | null, known: KnownItems): Promise<Change | null> {
  return audienceChange(ref, acl, await readKnown(ref, known));
}

/** Of rows that are not found any more: a policy of the database may hide them from the user that reads. */
export function hidingOfRows(known: KnownItems, rules: ReaderRules): Hiding {
  return hidingOf(known, rules, (ref, before) => audienceChange(ref, nobody, parseFingerprint(before)));
}

function audienceChange(ref: string, acl: Acl | null, before: RowFingerprint | null): Change | null {
  if (acl === null || before === null) return null;
  const audience = audienceOf(acl);
  if (before.audience === audience) return null;
  return { type: "acl", ref, acl, fingerprint: writeFingerprint({ ...before, audience }) };
}

export function refOf(relation: Relation, row: Row): string {
  // SQL Server takes texts that were cut in the middle of a character, which have no encoding.
  const key = relation.key.map((column) => encodeURIComponent((row.get(column.name) ?? "").toWellFormed())).join(",");
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

/** @returns null for what is not known */
async function readKnown(ref: string, known: KnownItems): Promise<RowFingerprint | null> {
  return parseFingerprint(await known.fingerprintOf(ref));
}

function parseFingerprint(stored: string | null): RowFingerprint | null {
  if (stored === null) return null;
  // The consumer keeps nothing of what it could not store.
  if (stored === "") return { content: unread, audience: "", mark: null };
  // A digest has no colon in it, but may have a hyphen.
  const [main = "", mark = null] = stored.split(":");
  return { content: main.slice(0, digestChars), audience: main.slice(digestChars + 1), mark };
}

const digestChars = 32;
/** In place of a text's digest, and as long. */
const unread = "-".repeat(digestChars);

export function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, digestChars);
}
