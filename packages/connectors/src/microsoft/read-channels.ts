import type { Change } from "@anneal/core/connect/change";
import type { AnnealError } from "@anneal/core/errors";
import { hideBelow, hideWhere, hidingOf, isClosed } from "../hiding.ts";
import { rulesForAll } from "../reader-rules.ts";
import { deleteMissing } from "../reconcile.ts";
import { ShareByTime, type TimedPart } from "../share-by-time.ts";
import { channelOfRef, createChannelRun, keepState, type ChannelRun, type ChannelsRequest } from "./channel-run.ts";
import { isOwnAnswer } from "./graph-client.ts";
import type { ChannelListing, TeamChannel } from "./list-channels.ts";
import { isFollowed, readChannel } from "./read-channel.ts";
import { refOfChannel } from "./read-threads.ts";
import { madeOf, stateKey, teamPart } from "./teams-cursor.ts";

/**
 * What changed in the threads of channels: by the feed of each channel's messages, and by listing a channel whole where it
 * has no position in its feed, and again after some hours, for what the feed does not tell
 * (docs/decisions/2026-11-29-teams-messages-follow-links-between-listings.md).
 */
export async function* readChannels(request: ChannelsRequest): AsyncIterable<Change> {
  const { listing, known, context, checkpoint } = request;
  const run = createChannelRun(request);
  const hiding = hidingOf(known, rulesForAll("the channel's members"));
  const errors: AnnealError[] = [];
  const closed = listing.failures.filter(({ error }) => isClosed(error)).map(({ ref }) => ref);
  async function* hideClosed(): AsyncIterable<Change> {
    if (closed.length === 0) return;
    const channels = new Set(listing.channels.map(refOfChannel));
    for (const place of closed) forgetStates(run, place);
    yield checkpoint(Object.fromEntries(run.states), run.scanned, null, false);
    yield* hideBelow(known, closed, hiding);
    // Which of the others is the one that was chosen is not told.
    if (listing.lacksChosen) yield* hideWhere(known, (ref) => !channels.has(channelOfRef(ref)), hiding);
  }
  for (const failure of listing.failures) yield { type: "failure", ...failure };
  // Stored before anything is changed: a run that is cut after that must not leave what counts no longer.
  if (dropStates(run, listing)) yield checkpoint(Object.fromEntries(run.states), run.scanned, null, false);
  const listed = listing.channels.filter((channel) => !isFollowed(run, channel));
  run.listsAll = listed.length === listing.channels.length;
  run.listed = new ShareByTime(listed.map(timed), run.graph.now());
  for (const channel of listing.channels) {
    try {
      yield* readChannel(run, channel);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isOwnAnswer(error)) throw error;
      errors.push(error);
      if (isClosed(error)) closed.push(refOfChannel(channel));
      if (errors.length === listing.channels.length) {
        yield* hideClosed();
        throw errors[0];
      }
      yield { type: "failure", ref: refOfChannel(channel), error: error.toReport() };
    }
    run.listed.finish(refOfChannel(channel));
    yield* run.passed();
  }

  yield* hideClosed();

  for (const ref of new Set(listing.channels.map(({ teamId }) => `${teamId}/`))) {
    // What failed before, as a whole, did not fail this time.
    const fails = listing.failures.some((failure) => failure.ref === ref);
    if (!fails && (await known.fingerprintOf(ref)) !== null) run.deleted.add(ref);
  }
  // At every sync, though all may have been followed: a channel that is gone need not have had a position.
  const settled = yield* deleteMissing(known, context.deletions, hiding, goneIn(run, listing), (ref) =>
    run.deleted.has(ref) ? null : channelOfRef(ref).slice(0, -1) || null,
  );
  if (settled) for (const [key, state] of run.pendingStates) keepState(run, key, state);
  yield checkpoint(Object.fromEntries(run.states), run.scanned, run.scanned, run.listsAll);
}

/** No feed tells of threads that were hidden while their channel was closed: once it is there again, it is listed. */
function forgetStates(run: ChannelRun, place: string): void {
  const [teamId = "", id = ""] = place.split("/");
  const part = id === "" ? teamPart(teamId) : stateKey({ teamId, id });
  for (const key of run.states.keys()) if (key.startsWith(part)) run.states.delete(key);
}

function timed(channel: TeamChannel): TimedPart {
  const { createdDateTime } = channel;
  return { key: refOfChannel(channel), startedAtMs: createdDateTime ? Date.parse(createdDateTime) : null };
}

/**
 * Lets go of positions of channels that are gone, which may come back with threads that no feed tells of, and of those under
 * another name or other settings.
 * @returns whether there were any
 */
function dropStates(run: ChannelRun, listing: ChannelListing): boolean {
  const before = run.states.size;
  const channels = new Map(listing.channels.map((channel) => [stateKey(channel), channel]));
  const failing = listing.failures.map(({ ref }) => teamPart(ref.slice(0, -1)));
  for (const [key, state] of run.states) {
    const channel = channels.get(key);
    const counts =
      channel === undefined ? failing.some((part) => key.startsWith(part)) : state.of === madeOf(channel, run.settings);
    if (!counts) run.states.delete(key);
  }
  return run.states.size < before;
}

function goneIn(run: ChannelRun, listing: ChannelListing): (ref: string) => boolean {
  const channels = new Set(listing.channels.map(refOfChannel));
  return (ref) => {
    if (run.deleted.has(ref)) return true;
    const channel = channelOfRef(ref);
    if (channels.has(channel)) return run.enumerated.has(channel) && !run.seen.has(ref);
    return !listing.lacksChosen && !listing.failures.some((failure) => ref.startsWith(failure.ref));
  };
}
