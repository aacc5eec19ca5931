import type { Change, Cursor } from "@anneal/core/connect/change";
import { z } from "zod";
import { defineConnector, type ReadRequest } from "../connector.ts";
import { hideBelow, hidingOf, isClosed } from "../hiding.ts";
import { readerRulesOf } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { checkJira } from "./check-jira.ts";
import {
  atlassianSecretSchema,
  jiraConfigSchema,
  jiraFacts,
  type AtlassianSecrets,
  type JiraConfig,
} from "./config.ts";
import type { Project } from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";
import { readJiraDirectory } from "./jira-directory.ts";
import { idsPerFetch, openProject, refPrefix, type JiraRun, type ProjectReader } from "./jira-project.ts";
import { findProjects, noProjectOf, noSuchProject, withJira } from "./open-jira.ts";
import { issueRenderingVersion } from "./render-issue.ts";

type Request = ReadRequest<JiraConfig, AtlassianSecrets>;

export const jiraConnector = defineConnector<JiraConfig, AtlassianSecrets>({
  kind: "jira",
  title: "Jira",
  ...jiraFacts,
  directory: "vendor",
  configSchema: jiraConfigSchema,
  secretSchema: atlassianSecretSchema,
  check: checkJira,
  read: (request) => withJira(request, ({ api, tenant }) => readProjects(request, api, tenant)),
  readDirectory: readJiraDirectory,
});

/** Read again beyond the last run's beginning: Jira's search index lags, and a document that failed gets another try. */
const overlapMs = 24 * 60 * 60_000;
/** How often every issue's date is looked at all the same. */
const wholeEveryMs = 7 * 24 * 60 * 60_000;

const cursorSchema = z.object({
  version: z.literal(1),
  /** When the last run that read every project began; by this machine's clock, of which only the distance counts. */
  readAt: z.number(),
  wholeAt: z.number(),
  settings: z.string(),
});
type JiraCursor = z.infer<typeof cursorSchema>;

async function* readProjects(request: Request, api: JiraApi, tenant: string): AsyncIterable<Change> {
  const { config, known, context } = request;
  const startedAt = Date.now();
  const settings = `${issueRenderingVersion}${config.comments ? "c" : ""}`;
  const before = parseCursor(request.cursor, settings, startedAt);
  const hiding = hidingOf(known, readerRulesOf(jiraFacts, config));
  const { found, missing } = await findProjects(api, config.projects);
  if (found.length === 0) {
    yield* hideBelow(known, missing.length === 0 ? [""] : missing.map(refPrefix), hiding);
    throw noProjectOf(missing);
  }
  const run: JiraRun = {
    known,
    context,
    comments: config.comments,
    api,
    tenant,
    siteAddress: await api.siteAddress(),
    sinceMinutes: before === null ? null : Math.ceil((startedAt - before.readAt + overlapMs) / 60_000),
    settings,
    seen: new SeenRefs(),
    cursor: before ?? { version: 1 },
    scanned: 0,
    total: before === null ? await countIssues(api, found) : null,
  };
  const unread = missing.map((key) => ({ key, error: noSuchProject([key]) }));
  const readers = new Map<string, ProjectReader>();
  for (const project of found) {
    try {
      const reader = await openProject(run, project);
      yield* reader.readSearched();
      readers.set(refPrefix(project.key), reader);
    } catch (error) {
      if (!isAboutWhatWasAsked(error)) throw error;
      unread.push({ key: project.key, error });
    }
  }
  const closed = unread.filter(({ error }) => isClosed(error)).map(({ key }) => refPrefix(key));
  yield* hideBelow(known, closed, hiding);
  if (unread.length === found.length + missing.length) throw unread[0]?.error;
  for (const { key, error } of unread) yield { type: "failure", ref: refPrefix(key), error: error.toReport() };
  yield* askForMissing(run, readers);
  for (const [prefix, reader] of readers)
    for (const refusal of reader.refusals()) {
      run.seen.add(prefix);
      yield refusal;
    }
  const prefixes = unread.map(({ key }) => refPrefix(key));
  yield* deleteMissing(
    known,
    context.deletions,
    hiding,
    (ref) => !run.seen.has(ref) && !prefixes.some((prefix) => ref.startsWith(prefix)),
    firstSegment,
  );
  // What could not be read this time is still due from the moment that the last whole run began.
  const reached: JiraCursor = { version: 1, readAt: startedAt, wholeAt: before?.wholeAt ?? startedAt, settings };
  const cursor = unread.length === 0 ? reached : run.cursor;
  yield { type: "checkpoint", cursor, scanned: run.scanned, total: run.scanned };
}

/** For people who wait for a first sync; one that is refused goes without. */
async function countIssues(api: JiraApi, projects: readonly Project[]): Promise<number | null> {
  try {
    return await api.countIssues(`project in (${projects.map(({ id }) => id).join(", ")})`);
  } catch (error) {
    if (!isAboutWhatWasAsked(error)) throw error;
    return null;
  }
}

function parseCursor(cursor: Cursor | null, settings: string, now: number): JiraCursor | null {
  const { success, data } = cursorSchema.safeParse(cursor);
  // A clock that was set back tells no distance.
  if (!success || data.settings !== settings || data.readAt > now) return null;
  return now - data.wholeAt > wholeEveryMs ? null : data;
}

/** A search index that lags, or is being rebuilt, must not look like deletions: what it leaves out is asked for by id. */
async function* askForMissing(run: JiraRun, readers: ReadonlyMap<string, ProjectReader>): AsyncIterable<Change> {
  const missing = new Map<ProjectReader, string[]>();
  for await (const ref of run.known.refs()) {
    if (run.seen.has(ref)) continue;
    const idAt = ref.indexOf("/") + 1;
    const reader = readers.get(ref.slice(0, idAt));
    // What is wrong with a project as a whole is kept under its prefix alone.
    if (reader === undefined || idAt === ref.length) continue;
    const ids = [...(missing.get(reader) ?? []), ref.slice(idAt)];
    missing.set(reader, ids.length < idsPerFetch ? ids : []);
    if (ids.length >= idsPerFetch) yield* reader.readById(ids);
  }
  for (const [reader, ids] of missing) yield* reader.readById(ids);
}
