import { AnnealError } from "@anneal/core/errors";
import { chooseMailboxes, type ListedMailbox } from "./choose-mailboxes.ts";
import type { ImapConfig } from "./config.ts";
import type { MailboxState, MailboxStates } from "./imap-cursor.ts";
import { isAboutOneMailbox } from "./imap-errors.ts";
import type { ImapSession } from "./imap-session.ts";
import { parseMessageRef, writeMailboxRef } from "./message-ref.ts";
import { listMailbox, type MailboxListing } from "./messages.ts";

/** What a run knows of one mailbox before it reads any message. */
export type Survey =
  /** Its counters are those of the cursor: the same messages as then. */
  | { status: "unchanged"; state: MailboxState }
  | { status: "listed"; listing: MailboxListing; before: MailboxState | undefined }
  /** It could not be listed: nothing is known of what it lost. */
  | { status: "failed"; error: AnnealError };
export type Surveys = ReadonlyMap<string, Survey>;

/** @throws AnnealError when no mailbox at all can be listed */
export async function surveyMailboxes(
  session: ImapSession,
  config: ImapConfig,
  before: MailboxStates,
): Promise<Surveys> {
  const { mailboxes, missing } = chooseMailboxes(await session.list(), config);
  const surveys = new Map<string, Survey>(missing.map(({ path, error }) => [path, { status: "failed", error }]));
  for (const mailbox of mailboxes) surveys.set(mailbox.path, await surveyMailbox(session, config, mailbox, before));
  const [first] = surveys.values();
  if (first?.status === "failed" && [...surveys.values()].every(({ status }) => status === "failed")) throw first.error;
  if (first === undefined) {
    throw new AnnealError("SOURCE_NOT_FOUND", `${config.host} lists no mailbox of "${config.user}" to read.`, {
      action: "Check the user, and that not every mailbox is excluded.",
    });
  }
  return surveys;
}

async function surveyMailbox(
  session: ImapSession,
  config: ImapConfig,
  { path, status }: ListedMailbox,
  before: MailboxStates,
): Promise<Survey> {
  const state = before.get(path);
  if (
    state !== undefined &&
    state.uidValidity === String(status?.uidValidity) &&
    state.uidNext === status?.uidNext &&
    state.messages === status.messages
  ) {
    return { status: "unchanged", state };
  }
  try {
    return { status: "listed", listing: await listMailbox(session, config, path), before: state };
  } catch (error) {
    if (isAboutOneMailbox(error)) return { status: "failed", error };
    throw error;
  }
}

/** Answers false for whatever lies in a mailbox that could not be listed. */
export function isGone(ref: string, surveys: Surveys): boolean {
  const message = parseMessageRef(ref);
  // What stands for a mailbox that failed goes when it no longer does.
  if (message === null) {
    return ![...surveys].some(([path, { status }]) => status === "failed" && ref === writeMailboxRef(path));
  }
  const survey = surveys.get(message.mailbox);
  switch (survey?.status) {
    case undefined:
      return true;
    case "failed":
      return false;
    case "unchanged":
      return survey.state.uidValidity !== message.uidValidity;
    case "listed":
      return survey.listing.uidValidity !== message.uidValidity || !survey.listing.uids.has(message.uid);
  }
}

/** Nothing is missing when every mailbox of the cursor is as it was: known documents are then not gone through. */
export function mayHaveLost(surveys: Surveys, before: MailboxStates): boolean {
  return (
    [...surveys.values()].some(({ status }) => status !== "unchanged") ||
    [...before.keys()].some((path) => !surveys.has(path))
  );
}

export function countMessages(survey: Survey): number {
  switch (survey.status) {
    case "failed":
      return 0;
    case "unchanged":
      return survey.state.messages;
    case "listed":
      return survey.listing.uids.size;
  }
}

/**
 * The states to go on from once everything is stored and deleted.
 * @param failed the UIDs of a mailbox that could not be read
 */
export function statesAfter(
  surveys: Surveys,
  before: MailboxStates,
  failed: (mailbox: string) => number[],
): MailboxStates {
  const states = new Map<string, MailboxState>();
  for (const [path, survey] of surveys) {
    if (survey.status === "failed") {
      const state = before.get(path);
      if (state !== undefined) states.set(path, state);
    } else if (survey.status === "unchanged") {
      states.set(path, { ...survey.state, failed: failed(path) });
    } else {
      const { uidValidity, uidNext, uids } = survey.listing;
      states.set(path, { uidValidity, uidNext, messages: uids.size, failed: failed(path) });
    }
  }
  return states;
}
