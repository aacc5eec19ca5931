import type { Acl } from "@anneal/core/access/acl";
import type { Change, SourceItem } from "@anneal/core/connect/change";
import type { ReadRequest } from "../connector.ts";
import { tooLarge } from "../failure.ts";
import { keptReaders } from "../hiding.ts";
import { deleteMissing } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { parseImapCursor, writeImapCursor, type MailboxStates } from "./imap-cursor.ts";
import { openImapSession, type ImapSession } from "./imap-session.ts";
import { messageUri, writeMailboxRef, writeMessageRef } from "./message-ref.ts";
import { digestSettings, parseFingerprint, readersAcl, writeFingerprint } from "./readers.ts";
import { reviseAudience } from "./revise-audience.ts";
import { countMessages, mayHaveLost, statesAfter, surveyMailboxes } from "./survey-mailboxes.ts";
import { threadContent } from "./thread-content.ts";
import { digestThread, gatherThreads, type Thread } from "./threads.ts";

type Run = {
  session: ImapSession;
  request: ReadRequest<ImapConfig, ImapSecrets>;
  acl: Acl | null;
  account: string;
  audience: string;
  /** Not every message was found: threads that are known may only seem to have lost some. */
  partial: boolean;
  onFailure: () => void;
};

const checkpointEvery = 100;

/** A thread reaches over mailboxes, so that any change in one of them has the headers of all looked at. */
export async function* readThreads(request: ReadRequest<ImapConfig, ImapSecrets>): AsyncIterable<Change> {
  const { config, secrets, cursor, known, context } = request;
  const { account, audience } = digestSettings(config);
  const acl = readersAcl(config);
  const settings = `${account}|${audience}|threads`;
  const last = parseImapCursor(cursor, settings);
  const before: MailboxStates = last ?? new Map();
  if (last === null) yield* reviseAudience(known, acl, audience);
  const session = await openImapSession(config, secrets, context);
  try {
    let surveys = await surveyMailboxes(session, config, before);
    const total = [...surveys.values()].reduce((sum, survey) => sum + countMessages(survey), 0);
    const retried = await known.refsWithFingerprint("");
    if (!mayHaveLost(surveys, before) && retried.length === 0) {
      yield { type: "checkpoint", cursor: writeImapCursor(before, settings), scanned: total, total };
      return;
    }
    surveys = await surveyMailboxes(session, config, new Map());
    let whole = true;
    const listings = [];
    for (const [path, survey] of surveys) {
      if (survey.status === "listed") listings.push(survey.listing);
      if (survey.status !== "failed") continue;
      whole = false;
      yield { type: "failure", ref: writeMailboxRef(path), error: survey.error.toReport() };
    }
    const { threads, complete, unreadable } = await gatherThreads(session, listings);
    for (const { ref, error } of unreadable) {
      yield { type: "failure", ref: writeMessageRef(ref), error: error.toReport() };
    }
    whole &&= complete;
    const run: Run = {
      session,
      request,
      account,
      audience,
      acl,
      partial: !whole,
      onFailure: () => (whole = false),
    };
    const seen = new SeenRefs();
    let scanned = 0;
    for (const thread of threads) {
      seen.add(writeThreadRef(thread));
      yield* changesOf(run, thread);
      scanned += 1;
      if (scanned % checkpointEvery > 0) continue;
      yield { type: "checkpoint", cursor: writeImapCursor(before, settings), scanned, total: threads.length };
    }
    // What comes after it is done only once all before it is.
    yield { type: "checkpoint", cursor: writeImapCursor(before, settings), scanned, total: null };
    await session.confirm();
    if (!run.partial) {
      for await (const change of deleteMissing(known, context.deletions, keptReaders, (ref) => !seen.has(ref))) {
        if (change.type === "failure") whole = false;
        yield change;
      }
    }
    // After anything that failed or waits for a person all is looked at again.
    const after = whole ? statesAfter(surveys, before, () => []) : new Map();
    yield { type: "checkpoint", cursor: writeImapCursor(after, settings), scanned, total: scanned };
  } finally {
    await session.close();
  }
}

function writeThreadRef({ id }: Thread): string {
  return `thread;ID=${id}`;
}

async function* changesOf(run: Run, thread: Thread): AsyncIterable<Change> {
  const { session, request, account } = run;
  const { known, context } = request;
  const item = itemOf(run, thread);
  const fingerprint = await known.fingerprintOf(item.ref);
  if (fingerprint === item.fingerprint) return;
  const stored = fingerprint === null ? null : parseFingerprint(fingerprint);
  if (run.partial && stored?.account === account) return;
  const { documentBytes } = context.limits;
  if (item.sizeBytes !== null && item.sizeBytes > documentBytes) {
    run.onFailure();
    const error = tooLarge(thread.subject ?? item.ref, item.sizeBytes, documentBytes);
    yield { type: "failure", ref: item.ref, error: error.toReport() };
    return;
  }
  yield { type: "upsert", item, content: threadContent(session, thread, documentBytes, run.onFailure) };
}

function itemOf({ request: { config }, acl, account, audience }: Run, thread: Thread): SourceItem {
  const { members, subject } = thread;
  const latestMs = members.at(-1)?.receivedAtMs ?? 0;
  return {
    ref: writeThreadRef(thread),
    uri: messageUri(config, members[0]!),
    title: subject,
    mediaType: "message/rfc822",
    sizeBytes: members.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    modifiedAt: latestMs === 0 ? null : new Date(latestMs).toISOString(),
    fingerprint: writeFingerprint({ identity: digestThread(thread), account, audience }),
    acl,
  };
}
