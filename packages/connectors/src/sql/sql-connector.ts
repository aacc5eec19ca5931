import type { Change, Cursor } from "@anneal/core/connect/change";
import { z } from "zod";
import { defineConnector, type Connector, type ReadRequest } from "../connector.ts";
import { keepPartsInJournal } from "../parts-in-journal.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { checkDatabase } from "./check-database.ts";
import { sqlFacts, sqlSecretSchema, type SqlConfig, type SqlSecrets } from "./config.ts";
import type { Dialect, Relation, SqlSession } from "./dialect.ts";
import { openSession } from "./open-session.ts";
import { readPeople } from "./people.ts";
import { refPrefix } from "./ref-prefix.ts";
import { isAboutOneRelation, resolveRelations } from "./relation.ts";
import { aclOf, changesOf, compareAudience, digest, duplicateKey, hidingOfRows, markOf, refOf } from "./row-change.ts";
import { renderingVersion } from "./row-document.ts";
import { estimateRows, readMaxWatermark, readRows, type RowScan } from "./rows.ts";
import { UnsettledRows } from "./unsettled-rows.ts";
import { refuseWritableUser } from "./writable-user.ts";

type Request = ReadRequest<SqlConfig, SqlSecrets>;

/** Rows of tables and of read-only queries as documents, for any database that has a dialect. */
export function defineSqlConnector<Session extends SqlSession>(
  dialect: Dialect<Session>,
  configSchema: z.ZodType<SqlConfig>,
): Connector<SqlConfig, SqlSecrets> {
  return defineConnector<SqlConfig, SqlSecrets>({
    kind: dialect.kind,
    title: dialect.title,
    ...sqlFacts,
    configSchema,
    secretSchema: sqlSecretSchema,
    check: (config, secrets, context) => checkDatabase(dialect, config, secrets, context),
    read: keepPartsInJournal(["watermarks"], (request) => readDatabase(dialect, request)),
    readDirectory: (request) => readPeople(dialect, request),
  });
}

const cursorSchema = z.object({
  version: z.literal(1),
  /**
   * Per relation: how far it was read, and a digest of what it was read with; another digest reads it anew.
   * `otherMarks` are the rows that it was last read whole for, and that stayed as they were stored.
   */
  watermarks: z.record(
    z.string(),
    z.object({ value: z.string(), settings: z.string(), otherMarks: z.string().optional() }),
  ),
});
type SqlCursor = z.infer<typeof cursorSchema>;

async function* readDatabase<Session extends SqlSession>(
  dialect: Dialect<Session>,
  request: Request,
): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const session = await openSession(dialect, config, secrets, context);
  try {
    await refuseWritableUser(dialect, session, config);
    const { relations, failures } = await resolveRelations(dialect, session, config);
    const seen = new SeenRefs();
    const cursor = parseCursor(request.cursor);
    const listsAll = relations.every((relation) => watermarkOf(relation, cursor) === null);
    const total = listsAll ? await estimateRows(dialect, session, relations) : null;
    const progress: Progress = { cursor, scanned: 0, total, listsAll };
    for (const relation of relations) {
      try {
        yield* readRelation(dialect, session, relation, request, seen, progress);
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
      hidingOfRows(known, readerRulesOf(sqlFacts, config)),
      (ref) => !seen.has(ref) && !unlisted.some((prefix) => ref.startsWith(prefix)),
      firstSegment,
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

type Progress = {
  cursor: SqlCursor;
  scanned: number;
  /** About so many rows there are, where all of them are read. */
  total: number | null;
  listsAll: boolean;
};

/** What a relation's watermark is stored with; in digests since before relations had a table. */
function settingsOf(relation: Relation): string {
  return digest(JSON.stringify([renderingVersion, { ...relation, keyIsPrimary: true, table: undefined }]));
}

/** Up to where a relation was read with these settings; null where all of it is to be read. */
function watermarkOf(relation: Relation, { watermarks }: SqlCursor): string | null {
  const before = watermarks[relation.name];
  return before?.settings === settingsOf(relation) ? before.value : null;
}

function parseCursor(cursor: Cursor | null): SqlCursor {
  const parsed = cursorSchema.safeParse(cursor);
  return parsed.success ? parsed.data : { version: 1, watermarks: {} };
}

/**
 * A watermark finds what changed quickly, where the clock that writes it only ever goes forward. That it did is not
 * relied on: a row below it whose own watermark is another one than it was read with has the relation read whole, once.
 *
 * The watermark moves only when the whole relation was read without a failure: until then a resumed run reads the
 * same rows again, and knows what is stored by its fingerprint.
 */
async function* readRelation<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  relation: Relation,
  request: Request,
  seen: SeenRefs,
  progress: Progress,
): AsyncIterable<Change> {
  const { config, known, context } = request;
  const settings = settingsOf(relation);
  const before = progress.cursor.watermarks[relation.name];
  const sinceWatermark = watermarkOf(relation, progress.cursor);
  const reached = await readMaxWatermark(dialect, session, relation);
  const readable = relation.columns.filter(dialect.isReadable);
  const rendered = { ...relation, columns: readable };
  /** Besides what is read for its text, since that may leave a watermark out: one of bytes. */
  const apart = [relation.owner, relation.watermark].filter((column) => column !== null);
  const scan: RowScan = {
    columns: [...new Set([...readable, ...apart])],
    maxValueChars: Math.min(context.limits.documentBytes + 1, 2 ** 30),
    sinceWatermark,
    keys: null,
  };

  let failed = false;
  let otherMarks: string | undefined;
  async function* compareRows(some: RowScan, isNew: (ref: string) => boolean): AsyncIterable<Change> {
    for await (const rows of readRows(dialect, session, relation, some)) {
      for (const row of rows) {
        progress.scanned += 1;
        const ref = refOf(relation, row);
        const changes: Change[] = isNew(ref)
          ? await changesOf(dialect, config, rendered, row, known, context.limits.documentBytes)
          : [{ type: "failure", ref, error: duplicateKey(relation, ref).toReport() }];
        failed ||= changes.some(({ type }) => type === "failure");
        yield* changes;
      }
      yield { type: "checkpoint", ...progress };
    }
  }
  yield* compareRows(scan, (ref) => seen.add(ref));

  if (sinceWatermark !== null) {
    // Rows below the watermark were not read: their keys tell that they still exist, their owners who may read them.
    const unsettled = new UnsettledRows<(string | null)[]>();
    for await (const rows of readRows(dialect, session, relation, { ...scan, columns: apart, sinceWatermark: null })) {
      for (const row of rows) {
        const ref = refOf(relation, row);
        if (!seen.add(ref)) continue;
        const key = relation.key.map((column) => row.get(column.name) ?? null);
        await unsettled.add(ref, markOf(relation, row), key, known);
        const change = await compareAudience(ref, aclOf(dialect, config, relation, row), known);
        if (change !== null) yield change;
      }
    }
    otherMarks = unsettled.rowsWithOtherMarks;
    yield* unsettled.readAgain(before?.otherMarks, (keys, isNew) =>
      compareRows({ ...scan, sinceWatermark: null, keys }, isNew),
    );
  }
  if (reached !== null && !failed) {
    const watermarks = {
      ...progress.cursor.watermarks,
      [relation.name]: { value: reached, settings, ...(otherMarks === undefined ? {} : { otherMarks }) },
    };
    progress.cursor = { version: 1, watermarks };
  }
}
