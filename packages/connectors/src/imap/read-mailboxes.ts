import type { Acl } from "@anneal/core/access/acl";
import type { Change, ContentHandle, KnownItems, SourceItem } from "@anneal/core/connect/change";
import type { AnnealError } from "@anneal/core/errors";
import type { ReadRequest } from "../connector.ts";
import { tooLarge } from "../failure.ts";
import { keptReaders } from "../hiding.ts";
import { deleteMissing } from "../reconcile.ts";
import { attachmentContent, textContent } from "./attachments.ts";
import type { ImapConfig, ImapSecrets } from "./config.ts";
import { parseImapCursor, writeImapCursor, type MailboxStates } from "./imap-cursor.ts";
import { isAboutOneMailbox } from "./imap-errors.ts";
import { openImapSession, type ImapSession } from "./imap-session.ts";
import { messageUri, parseMessageRef, writeMailboxRef, writeMessageRef } from "./message-ref.ts";
import type { MessageRef, PartRef } from "./message-ref.ts";
import { factsAtOnce, fetchFacts, messageContent, type MessageFacts } from "./messages.ts";
import { digestSettings, parseFingerprint, readersAcl, writeFingerprint } from "./readers.ts";
import { reviseAudience } from "./revise-audience.ts";
import { countMessages, isGone, mayHaveLost, statesAfter, surveyMailboxes } from "./survey-mailboxes.ts";
import type { Survey, Surveys } from "./survey-mailboxes.ts";

type Run = {
  session: ImapSession;
  request: ReadRequest<ImapConfig, ImapSecrets>;
  acl: Acl | null;
  account: string;
  audience: string;
  surveys: Surveys;
  failed: FailedUids;
};

/** A message to look at; when it is stored as it should be, only its attachments are. */
type Candidate = { ref: MessageRef; isStored: boolean };

/**
 * All mailboxes are listed before any message is read, so that a message that left one is known to be gone when it
 * is met in another. A checkpoint in between carries the old states: what was stored is known by its fingerprint, and
 * a resumed run lists again, which is cheap, and reads nothing twice.
 */
export async function* readMailboxes(request: ReadRequest<ImapConfig, ImapSecrets>): AsyncIterable<Change> {
  const { config, secrets, cursor, known, context } = request;
  const { account, audience } = digestSettings(config);
  const acl = readersAcl(config);
  const settings = `${account}|${audience}`;
  const last = parseImapCursor(cursor, settings);
  const before: MailboxStates = last ?? new Map();
  if (last === null) yield* reviseAudience(known, acl, audience);
  const session = await openImapSession(config, secrets, context);
  try {
    const surveys = await surveyMailboxes(session, config, before);
    const failed = new FailedUids();
    const run: Run = { session, request, acl, account, audience, surveys, failed };
    for (const [path, survey] of surveys) {
      if (survey.status !== "failed") continue;
      yield { type: "failure", ref: writeMailboxRef(path), error: survey.error.toReport() };
    }
    const total = [...surveys.values()].reduce((sum, survey) => sum + countMessages(survey), 0);
    const retried = await findRetried(known, before);
    let scanned = 0;
    for (const [path, survey] of surveys) {
      if (survey.status === "failed") continue;
      for await (const batch of findCandidates(run, path, survey, retried.get(path) ?? new Set())) {
        yield* readBatch(run, batch);
        yield { type: "checkpoint", cursor: writeImapCursor(before, settings), scanned, total };
      }
      scanned += countMessages(survey);
    }
    await session.confirm();
    let refused = false;
    if (mayHaveLost(surveys, before)) {
      const mailboxOf = (ref: string) => parseMessageRef(ref)?.mailbox ?? null;
      const isLost = (ref: string) => isUnwanted(ref, run);
      for await (const change of deleteMissing(known, context.deletions, keptReaders, isLost, mailboxOf)) {
        refused ||= change.type === "failure";
        yield change;
      }
    }
    // Deletions that wait for a person are found again by listing again.
    const after = refused ? before : statesAfter(surveys, before, (path) => failed.of(path));
    yield { type: "checkpoint", cursor: writeImapCursor(after, settings), scanned, total: scanned };
  } finally {
    await session.close();
  }
}

function isUnwanted(ref: string, { surveys, request }: Run): boolean {
  return (
    isGone(ref, surveys) || (request.config.attachments === "inside" && parseMessageRef(ref)?.section !== undefined)
  );
}

/** Messages that failed before, by mailbox: those of the cursor, and those that are stored as having failed. */
async function findRetried(known: KnownItems, before: MailboxStates): Promise<Map<string, Set<number>>> {
  const retried = new Map([...before].map(([path, { failed }]) => [path, new Set(failed)]));
  for (const ref of await known.refsWithFingerprint("")) {
    const message = parseMessageRef(ref);
    if (message === null || message.uidValidity !== before.get(message.mailbox)?.uidValidity) continue;
    retried.get(message.mailbox)?.add(message.uid);
  }
  return retried;
}

/** What is not stored as it should be, in batches. */
async function* findCandidates(
  run: Run,
  path: string,
  survey: Exclude<Survey, { status: "failed" }>,
  retried: ReadonlySet<number>,
): AsyncIterable<Candidate[]> {
  const { known, config } = run.request;
  const { uidValidity } = survey.status === "listed" ? survey.listing : survey.state;
  let batch: Candidate[] = [];
  for (const uid of uidsToCompare(survey, retried)) {
    const ref = { mailbox: path, uidValidity, uid };
    const fingerprint = await known.fingerprintOf(writeMessageRef(ref));
    const stored = fingerprint === null ? null : parseFingerprint(fingerprint);
    // A message does not change: what is stored of this account is it. It comes after its attachments.
    const isStored = stored?.account === run.account && stored.audience === run.audience;
    if (isStored && !(config.attachments === "apart" && retried.has(uid))) continue;
    batch.push({ ref, isStored });
    if (batch.length < factsAtOnce) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Of a mailbox that was whole at the cursor only what came since, and what failed. */
function* uidsToCompare(survey: Exclude<Survey, { status: "failed" }>, retried: Iterable<number>): Iterable<number> {
  if (survey.status === "unchanged") return yield* retried;
  const { listing, before } = survey;
  if (before?.uidValidity !== listing.uidValidity) return yield* listing.uids.from(1);
  for (const uid of retried) if (uid < before.uidNext && listing.uids.has(uid)) yield uid;
  yield* listing.uids.from(before.uidNext);
}

async function* readBatch(run: Run, batch: readonly Candidate[]): AsyncIterable<Change> {
  const [first] = batch;
  if (first === undefined) return;
  const uids = batch.map(({ ref }) => ref.uid);
  let facts: Map<number, MessageFacts>;
  try {
    facts = await fetchFacts(run.session, run.request.config, { ...first.ref, path: first.ref.mailbox }, uids);
  } catch (error) {
    if (!isAboutOneMailbox(error)) throw error;
    // One message that the server cannot read fails all that are asked for with it.
    if (batch.length > 1) for (const candidate of batch) yield* readBatch(run, [candidate]);
    else yield failureOf(run, first.ref, error);
    return;
  }
  for (const { ref, isStored } of batch) {
    const message = facts.get(ref.uid);
    // Deleted since it was listed: the next sync finds the mailbox changed.
    if (message !== undefined) yield* changesOf(run, ref, message, isStored);
  }
}

/** The attachments first: a message that is stored vouches for them. */
async function* changesOf(run: Run, ref: MessageRef, facts: MessageFacts, isStored: boolean): AsyncIterable<Change> {
  const { session, request, failed } = run;
  const { limits, tempDir } = request.context;
  const place = { tempDir, maxBytes: limits.documentBytes };
  const fail = () => failed.add(ref);
  const attachments = facts.parts?.attachments ?? [];
  for (const { section, fileName, mediaType, sizeBytes } of attachments) {
    const part = { ...facts, subject: fileName, sizeBytes, identity: `${facts.identity}#${section}` };
    const item = itemOf(run, { ...ref, section }, part, mediaType);
    if ((await request.known.fingerprintOf(item.ref)) === item.fingerprint) continue;
    yield await changeOf(run, ref, item, attachmentContent(session, ref, section, place, fail));
  }
  if (isStored) return;
  if (facts.parts === null || attachments.length === 0) {
    const content = messageContent(session, ref, place.maxBytes, fail);
    yield await changeOf(run, ref, itemOf(run, ref, facts, "message/rfc822"), content);
  } else {
    const text = { ...facts, sizeBytes: null };
    const content = textContent(session, ref, facts.parts, place.maxBytes, fail);
    yield await changeOf(run, ref, itemOf(run, ref, text, "message/rfc822"), content);
  }
}

async function changeOf(run: Run, ref: MessageRef, item: SourceItem, content: ContentHandle): Promise<Change> {
  const { known, context } = run.request;
  // Onto what is stored, be it as having failed, nothing can be moved.
  if ((await known.fingerprintOf(item.ref)) === null) {
    for (const fromRef of await known.refsWithFingerprint(item.fingerprint)) {
      if (isGone(fromRef, run.surveys)) return { type: "moved", fromRef, item };
    }
  }
  const { documentBytes } = context.limits;
  if (item.sizeBytes !== null && item.sizeBytes > documentBytes) {
    run.failed.add(ref);
    const error = tooLarge(item.title ?? item.ref, item.sizeBytes, documentBytes);
    return { type: "failure", ref: item.ref, error: error.toReport() };
  }
  return { type: "upsert", item, content };
}

function failureOf({ failed }: Run, ref: MessageRef, error: AnnealError): Change {
  failed.add(ref);
  return { type: "failure", ref: writeMessageRef(ref), error: error.toReport() };
}

function itemOf(run: Run, ref: PartRef, facts: MessageFacts, mediaType: string): SourceItem {
  const { acl, account, audience, request } = run;
  return {
    ref: writeMessageRef(ref),
    uri: messageUri(request.config, ref),
    title: facts.subject,
    mediaType,
    sizeBytes: facts.sizeBytes,
    modifiedAt: facts.receivedAt,
    fingerprint: writeFingerprint({ identity: facts.identity, account, audience }),
    acl,
  };
}

class FailedUids {
  readonly #byMailbox = new Map<string, Set<number>>();

  add({ mailbox, uid }: MessageRef): void {
    this.#byMailbox.set(mailbox, (this.#byMailbox.get(mailbox) ?? new Set()).add(uid));
  }

  of(mailbox: string): number[] {
    return [...(this.#byMailbox.get(mailbox) ?? [])].sort((a, b) => a - b);
  }
}
