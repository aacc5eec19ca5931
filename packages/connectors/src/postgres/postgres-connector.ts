import { hash } from "node:crypto";
import type { Acl, Principal } from "@anneal/core/access/acl";
import { aclFingerprint } from "@anneal/core/access/acl";
import type { Change, Cursor, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import {
  defineConnector,
  type CapabilityCheck,
  type CheckResult,
  type ConnectContext,
  type ReadRequest,
} from "../connector.ts";
import { contentOf } from "../content.ts";
import { failedCheck, tooLarge } from "../failure.ts";
import { joinNames, sampleCount } from "../preview.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { postgresConfigSchema, postgresSecretSchema, type PostgresConfig, type PostgresSecrets } from "./config.ts";
import { isAboutOneRelation, resolveRelations, type Relation } from "./relation.ts";
import { formatValue, isReadable, parseArray, renderingVersion, renderRow } from "./row-document.ts";
import { countRows, readMaxWatermark, readRows, type Row, type RowScan } from "./rows.ts";
import { openSession, type Session } from "./session.ts";

type Request = ReadRequest<PostgresConfig, PostgresSecrets>;

export const postgresConnector = defineConnector<PostgresConfig, PostgresSecrets>({
  kind: "postgres",
  title: "PostgreSQL",
  changeModel: "watermark",
  capabilities: { permissions: true, deletions: true, moves: false },
  configSchema: postgresConfigSchema,
  secretSchema: postgresSecretSchema,
  check: checkDatabase,
  read: readDatabase,
});

async function checkDatabase(
  config: PostgresConfig,
  secrets: PostgresSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const session = await openSession(config, secrets, context);
    try {
      const { relations, failures } = await resolveRelations(session, config);
      const checks: CapabilityCheck[] = [
        ...relations.map(({ name, columns }): CapabilityCheck => {
          return {
            capability: "read",
            status: "ok",
            message: `"${name}" can be read (${columns.length} columns).`,
          };
        }),
        ...failures.map(({ error }): CapabilityCheck => {
          return {
            capability: "read",
            status: "warning",
            message: `${error.message} ${error.action}`,
          };
        }),
        await checkReadOnly(session, config),
        {
          capability: "permissions",
          status: relations.every((relation) => relation.owner !== null) ? "ok" : "warning",
          message: "Rows of a table without an owner column get the source's default audience.",
        },
      ];
      const [failure] = failures;
      if (relations.length === 0 && failure !== undefined)
        return { checks, summary: null, error: failure.error.toReport() };
      const holds = await describeRows(session, relations);
      return { checks, summary: `Database "${config.database}" on ${config.host} can be read: ${holds}.`, error: null };
    } finally {
      await session.close();
    }
  } catch (error) {
    return failedCheck("read", error);
  }
}

const countedRows = 1000;

/** '12 rows in "articles", at least 1,000 rows in "log" and 4 more tables' */
async function describeRows(session: Session, relations: Relation[]): Promise<string> {
  const parts: string[] = [];
  for (const relation of relations.slice(0, sampleCount)) {
    const count = await countRows(session, relation, countedRows);
    const number = `${count < countedRows ? "" : "at least "}${count.toLocaleString("en")}`;
    parts.push(`${number} ${count === 1 ? "row" : "rows"} in "${relation.name}"`);
  }
  const more = relations.length - parts.length;
  return joinNames(more > 0 ? [...parts, `${more} more`] : parts);
}

/** Every transaction here is read-only; a user that cannot write is the lock behind that lock. */
async function checkReadOnly(session: Session, config: PostgresConfig): Promise<CapabilityCheck> {
  const { rows } = await session.query(
    `SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)::text,
       EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))::text`,
  );
  if (!rows[0]?.includes("true")) {
    return {
      capability: "read-only",
      status: "ok",
      message: `User "${config.user}" can only read.`,
    };
  }
  return {
    capability: "read-only",
    status: "warning",
    message:
      `User "${config.user}" could write. Nothing is ever written, but a user that cannot is safer: ` +
      `CREATE ROLE anneal_reader LOGIN PASSWORD '...'; GRANT USAGE ON SCHEMA public TO anneal_reader; ` +
      `GRANT SELECT ON ALL TABLES IN SCHEMA public TO anneal_reader.`,
  };
}

const cursorSchema = z.object({
  version: z.literal(1),
  /** Per relation: how far it was read, and a digest of what it was read with; another digest reads it anew. */
  watermarks: z.record(z.string(), z.object({ value: z.string(), settings: z.string() })),
});
type PostgresCursor = z.infer<typeof cursorSchema>;

async function* readDatabase(request: Request): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const session = await openSession(config, secrets, context);
  try {
    const { relations, failures } = await resolveRelations(session, config);
    const seen = new SeenRefs();
    const progress = { cursor: parseCursor(request.cursor), scanned: 0 };
    for (const relation of relations) {
      try {
        yield* readRelation(session, relation, request, seen, progress);
      } catch (error) {
        if (!isAboutOneRelation(error)) throw error;
        failures.push({ name: relation.name, error });
      }
    }
    const unlisted = failures.map(({ name }) => refPrefix(name));
    if (failures.length > 0 && relations.every((relation) => unlisted.includes(refPrefix(relation.name)))) {
      throw failures[0]?.error;
    }
    for (const { name, error } of failures) {
      seen.add(refPrefix(name));
      yield { type: "failure", ref: refPrefix(name), error: error.toReport() };
    }
    yield* deleteMissing(
      known,
      context.deletions,
      (ref) => !seen.has(ref) && !unlisted.some((prefix) => ref.startsWith(prefix)),
    );
    yield {
      type: "checkpoint",
      cursor: progress.cursor,
      scanned: progress.scanned,
      total: progress.scanned,
    };
  } finally {
    await session.close();
  }
}

function parseCursor(cursor: Cursor | null): PostgresCursor {
  const parsed = cursorSchema.safeParse(cursor);
  return parsed.success ? parsed.data : { version: 1, watermarks: {} };
}

/**
 * The watermark moves only when the whole relation was read without a failure: until then a resumed run reads the
 * same rows again, and knows what is stored by its fingerprint.
 */
async function* readRelation(
  session: Session,
  relation: Relation,
  request: Request,
  seen: SeenRefs,
  progress: { cursor: PostgresCursor; scanned: number },
): AsyncIterable<Change> {
  const { config, known, context } = request;
  const settings = digest(JSON.stringify([renderingVersion, { ...relation, keyIsPrimary: true }]));
  const before = progress.cursor.watermarks[relation.name];
  const sinceWatermark = before?.settings === settings ? before.value : null;
  const reached = await readMaxWatermark(session, relation);
  const scan: RowScan = {
    columns: relation.columns.filter(isReadable),
    maxValueChars: Math.min(context.limits.documentBytes + 1, 2 ** 30),
    sinceWatermark,
  };

  let failed = false;
  for await (const rows of readRows(session, relation, scan)) {
    for (const row of rows) {
      progress.scanned += 1;
      const ref = refOf(relation, row);
      const change = seen.add(ref)
        ? await changeOf(config, relation, row, known, context.limits.documentBytes)
        : ({ type: "failure", ref, error: duplicateKey(relation, ref).toReport() } as const);
      if (change === null) continue;
      failed ||= change.type === "failure";
      yield change;
    }
    yield { type: "checkpoint", cursor: progress.cursor, scanned: progress.scanned, total: null };
  }

  if (sinceWatermark !== null) {
    // Rows below the watermark were not read; their keys alone tell that they still exist.
    for await (const rows of readRows(session, relation, {
      columns: [],
      maxValueChars: 0,
      sinceWatermark: null,
    })) {
      for (const row of rows) seen.add(refOf(relation, row));
    }
  }
  if (reached !== null && !failed) {
    const watermarks = {
      ...progress.cursor.watermarks,
      [relation.name]: { value: reached, settings },
    };
    progress.cursor = { version: 1, watermarks };
  }
}

async function changeOf(
  config: PostgresConfig,
  relation: Relation,
  row: Row,
  known: KnownItems,
  maxBytes: number,
): Promise<Change | null> {
  const ref = refOf(relation, row);
  const { key, title, markdown } = renderRow(relation, row);
  const bytes = Buffer.from(markdown);
  if (bytes.byteLength > maxBytes) {
    return { type: "failure", ref, error: tooLarge(ref, bytes.byteLength, maxBytes).toReport() };
  }
  const acl = aclOf(config, relation, row);
  const contentDigest = digest(markdown);
  const fingerprint = `${contentDigest}-${acl === null ? "default" : digest(aclFingerprint(acl))}`;
  const before = await known.fingerprintOf(ref);
  if (before === fingerprint) return null;
  // To or from the source's default audience is for the consumer to apply, with the whole item.
  if (acl !== null && before?.startsWith(`${contentDigest}-`) && !before.endsWith("-default")) {
    return { type: "acl", ref, acl, fingerprint };
  }
  const item: SourceItem = {
    ref,
    uri: uriOf(config, relation, key),
    title,
    mediaType: "text/markdown",
    sizeBytes: bytes.byteLength,
    modifiedAt: modifiedAtOf(relation, row),
    fingerprint,
    acl,
  };
  return { type: "upsert", item, content: contentOf(bytes) };
}

function refPrefix(relationName: string): string {
  return `${encodeURIComponent(relationName)}/`;
}

function refOf(relation: Relation, row: Row): string {
  const key = relation.key.map((column) => encodeURIComponent(row.get(column.name) ?? "")).join(",");
  return refPrefix(relation.name) + key;
}

/** Shown to readers, so neither user nor password is in it. */
function uriOf(config: PostgresConfig, relation: Relation, key: string[]): string {
  const params = new URLSearchParams(
    relation.key.map((column, index): [string, string] => [column.name, key[index] ?? ""]),
  );
  const port = config.port === 5432 ? "" : `:${config.port}`;
  return `postgres://${config.host}${port}/${encodeURIComponent(config.database)}/${encodeURIComponent(relation.name)}?${params}`;
}

function modifiedAtOf(relation: Relation, row: Row): string | null {
  if (relation.watermark?.category !== "D") return null;
  const value = row.get(relation.watermark.name);
  if (value === null || value === undefined) return null;
  const time = new Date(formatValue(relation.watermark, value));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** A row without an owner is readable by nobody: who owned it is not known, which is not the same as everyone. */
function aclOf(config: PostgresConfig, relation: Relation, row: Row): Acl | null {
  if (relation.owner === null) return null;
  const value = row.get(relation.owner.name) ?? null;
  const owners = value === null ? [] : relation.owner.category === "A" ? parseArray(value) : [value];
  const allow = owners
    .filter((owner): owner is string => typeof owner === "string" && owner !== "")
    .map((id): Principal => ({
      source: "postgres",
      tenant: `${config.host}/${config.database}`,
      kind: "user",
      id,
    }));
  return { allow, deny: [] };
}

function duplicateKey(relation: Relation, ref: string): AnnealError {
  const key = relation.key.map((column) => column.name).join(", ");
  return new AnnealError("CONFLICT", `"${ref}" is the key of more than one row; only the first was read.`, {
    action: `Name key columns that tell the rows of "${relation.name}" apart; now it is (${key}).`,
  });
}

function digest(text: string): string {
  return hash("sha256", text, "base64url").slice(0, 32);
}
