import type { Change, ContentHandle, Cursor, KnownItems } from "@anneal/core/connect/change";
import { AnnealError } from "@anneal/core/errors";
import { aclChange } from "../acl-change.ts";
import type { ConnectContext } from "../connector.ts";
import { tooLarge } from "../failure.ts";
import type { SeenRefs } from "../seen-refs.ts";
import { isAboutWhatWasAsked, NotTold } from "./atlassian-site.ts";
import { shownToNobody, type Audience } from "./audience.ts";
import { changesOf } from "./changes-of.ts";
import type { Comment, ListedIssue, Project } from "./jira-answers.ts";
import type { JiraApi } from "./jira-api.ts";
import { openIssue, readProjectAudience, type IssueFacts, type ProjectAudience } from "./jira-audience.ts";
import { isForEverybody, renderIssue } from "./render-issue.ts";

/** What the projects of one sync share. */
export type JiraRun = {
  known: KnownItems;
  context: ConnectContext;
  comments: boolean;
  api: JiraApi;
  tenant: string;
  siteAddress: string;
  /** Issues changed in the last so many minutes are looked at; null: all. */
  sinceMinutes: number | null;
  /** Begins every fingerprint: with other settings every issue is read again. */
  settings: string;
  seen: SeenRefs;
  /** What checkpoints hold until the run is complete. */
  cursor: Cursor;
  scanned: number;
  /** About so many issues there are; null where Jira was not asked, or does not tell. */
  total: number | null;
};

export type ProjectReader = {
  /**
   * First what was changed lately, and what has a security level, which a change of the project's scheme gives without a
   * date. Then every issue's id: what is not known yet is looked at too (an issue that the account may see only now),
   * and what is known gets its present audience. A project whose issues may be restricted to roles is listed whole: no
   * query finds those that are.
   */
  readSearched(): AsyncIterable<Change>;
  /** @param ids at most `idsPerFetch`; those that are not there, or not in this project any more, stay unseen */
  readById(ids: readonly string[]): AsyncIterable<Change>;
  /** Says once why issues are shown to nobody. */
  refusals(): Iterable<Change>;
};

export const idsPerFetch = 100;
const checkpointEvery = 200;

export function refPrefix(projectKey: string): string {
  return `${encodeURIComponent(projectKey)}/`;
}

export async function openProject(run: JiraRun, project: Project): Promise<ProjectReader> {
  const { api, sinceMinutes, known, seen } = run;
  const audience = await readProjectAudience(api, project, run.tenant);
  const audienceOf = rememberRefusal(audience);
  const prefix = refPrefix(project.key);
  const inProject = `project = ${project.id}`;

  async function* look(listed: ListedIssue): AsyncIterable<Change> {
    // Pages of a search may overlap while issues are changed.
    if (seen.has(prefix + listed.id)) return;
    const issue = { ...listed, ...audience.factsOf(listed) };
    yield* counted(run, prefix + issue.id);
    yield* await changesOfIssue(run, prefix + issue.id, issue, audienceOf.of(issue));
  }
  async function* search(condition: string): AsyncIterable<Change> {
    for await (const issue of api.listIssues(`${inProject}${condition} ORDER BY created ASC`)) yield* look(issue);
  }
  async function* readById(ids: readonly string[]): AsyncIterable<Change> {
    if (ids.length === 0) return;
    const { issues, unknownIds } = await api.fetchIssues(ids);
    for (const issue of issues) if (issue.projectId === project.id) yield* look(issue);
    for (const id of unknownIds) seen.add(prefix + id);
  }
  async function* readIds(): AsyncIterable<Change> {
    let unknown: string[] = [];
    for await (const { id } of api.listIssueIds(`${inProject} ORDER BY created ASC`)) {
      const ref = prefix + id;
      if (seen.has(ref)) continue;
      const fingerprint = await known.fingerprintOf(ref);
      if (fingerprint !== null && isOpen(fingerprint)) {
        yield* counted(run, ref);
        const { acl } = audienceOf.of(openIssue);
        const change = aclChange(ref, fingerprint, acl);
        if (change !== null) yield change;
        continue;
      }
      // One that is known with a level or a restriction has none any more.
      unknown.push(id);
      if (unknown.length < idsPerFetch) continue;
      yield* readById(unknown);
      unknown = [];
    }
    yield* readById(unknown);
  }

  return {
    async *readSearched() {
      if (sinceMinutes === null || audience.dynamic || project.restrictsIssues) return yield* search("");
      yield* search(` AND updated >= "-${sinceMinutes}m"`);
      if (audience.hasLevels) yield* search(" AND level is not EMPTY");
      yield* readIds();
    },
    readById,
    *refusals() {
      const refusal = audienceOf.refusal();
      if (refusal !== null) yield { type: "failure", ref: prefix, error: hidden(project, refusal).toReport() };
    },
  };
}

/** Issues of an audience that cannot be read are shown to nobody; the reason is told once. */
function rememberRefusal(audience: ProjectAudience) {
  let refused: AnnealError | null = null;
  return {
    of(issue: IssueFacts): Audience {
      try {
        return audience.of(issue);
      } catch (error) {
        if (!isAboutWhatWasAsked(error)) throw error;
        refused = error;
        return shownToNobody;
      }
    },
    refusal: (): AnnealError | null => refused,
  };
}

function hidden({ key }: Project, refusal: AnnealError): AnnealError {
  if (refusal instanceof NotTold) {
    return new AnnealError("SOURCE_FORBIDDEN", `Some issues of ${key} are shown to nobody. ${refusal.message}`, {
      action: refusal.action,
    });
  }
  return new AnnealError("SOURCE_FORBIDDEN", `Who may see issues of ${key} cannot be read; they are shown to nobody.`, {
    action: `Give the account the global permission Administer Jira. ${refusal.message}`,
    details: refusal.details,
  });
}

type Issue = ListedIssue & IssueFacts;

async function changesOfIssue(run: JiraRun, ref: string, issue: Issue, { acl }: Audience): Promise<Change[]> {
  const item = {
    ref,
    uri: `${run.siteAddress}/browse/${encodeURIComponent(issue.key)}`,
    title: `${issue.key}: ${issue.summary}`,
    mediaType: "text/html",
    sizeBytes: null,
    modifiedAt: timeOf(issue.updated),
  };
  const contentPart = [run.settings, issue.updated, narrowingOf(issue)].join("/");
  return changesOf(
    { item, contentPart, acl, content: issueContent(run, issue) },
    run.known,
    run.context.limits.documentBytes,
  );
}

/** What of an issue itself narrows its audience: its security level and the roles that it is restricted to; "" for none. */
function narrowingOf({ securityId, restrictedTo }: IssueFacts): string {
  return (securityId ?? "") + (restrictedTo === null ? "" : `:${restrictedTo.join(",")}`);
}

/** A fingerprint keeps what narrows the audience, so that an open issue need not be asked for it again. */
function isOpen(fingerprint: string): boolean {
  return /^[^/]*\/[^/]*\/\|/.test(fingerprint);
}

async function* counted(run: JiraRun, ref: string): AsyncIterable<Change> {
  run.context.signal.throwIfAborted();
  run.seen.add(ref);
  run.scanned += 1;
  if (run.scanned % checkpointEvery !== 0) return;
  yield { type: "checkpoint", cursor: run.cursor, scanned: run.scanned, total: run.total, listsAll: true };
}

function issueContent({ api, comments, context }: JiraRun, { id, key }: ListedIssue): ContentHandle {
  return {
    async open() {
      const shown: Comment[] = [];
      if (comments) for await (const comment of api.listComments(id)) if (isForEverybody(comment)) shown.push(comment);
      const bytes = Buffer.from(renderIssue(await api.readIssue(id), shown, api.toHtml));
      const { documentBytes } = context.limits;
      if (bytes.byteLength > documentBytes) throw tooLarge(key, bytes.byteLength, documentBytes);
      return (async function* () {
        yield bytes;
      })();
    },
  };
}

function timeOf(updated: string): string | null {
  // Jira writes "+0000", which not every reader of dates takes.
  const time = new Date(updated.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
