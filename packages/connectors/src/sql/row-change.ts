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
  };
  return compareDocument(facts, markdown, known, maxBytes);
}

/** What a document of any database is compared by: its text, and apart from it who may read it. */
export async function compareDocument(
  facts: Pick<SourceItem, "ref" | "uri" | "title" | "modifiedAt" | "acl">,
  markdown: string,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  const { ref, acl } = facts;
  const bytes = Buffer.from(markdown);
  if (bytes.byteLength > maxBytes) {
    return { type: "failure", ref, error: tooLarge(ref, bytes.byteLength, maxBytes).toReport() };
  }
  const contentDigest = digest(markdown);
  const fingerprint = `${contentDigest}-${acl === null ? "default" : digest(aclFingerprint(acl))}`;
  const before = await known.fingerprintOf(ref);
  if (before === fingerprint) return null;
  // To or from the source's default audience is for the consumer to apply, with the whole item.
  if (acl !== null && before?.startsWith(`${contentDigest}-`) && !before.endsWith("-default")) {
    return { type: "acl", ref, acl, fingerprint };
  }
  const item: SourceItem = { ...facts, mediaType: "text/markdown", sizeBytes: bytes.byteLength, fingerprint };
  return { type: "upsert", item, content: contentOf(bytes) };
}

/**
 * For what was not read again: whether somebody else may read it by now. Whoever changes an owner need not move the
 * watermark.
 */
export async function compareAudience(ref: string, acl: Acl | null, known: KnownItems): Promise<Change | null> {
  if (acl === null) return null;
  const before = await known.fingerprintOf(ref);
  if (before === null || before.endsWith("-default")) return null;
  const fingerprint = `${before.slice(0, digestChars)}-${digest(aclFingerprint(acl))}`;
  return before === fingerprint ? null : { type: "acl", ref, acl, fingerprint };
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

const digestChars = 32;

export function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, digestChars);
}
