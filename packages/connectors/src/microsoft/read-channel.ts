import type { Acl } from "@anneal/core/access/acl";
import type { Change } from "@anneal/core/connect/change";
import { audienceOf } from "./channel-members.ts";
import { keepState, type ChannelRun } from "./channel-run.ts";
import { isOwnAnswer } from "./graph-client.ts";
import { admitAccount } from "./item-acl.ts";
import type { TeamChannel } from "./list-channels.ts";
import { findPosition, followLink, maxNamedThreads, type FeedRound } from "./message-feed.ts";
import { changesOf, readThread, readThreads, refOfChannel, refOfThread, type ThreadOrNone } from "./read-threads.ts";
import { madeOf, stateKey, type ChannelState } from "./teams-cursor.ts";

/**
 * What changed in one channel since its state. Deletions are only noted, for the run to weigh them as a whole; until then the
 * state stays where it meets them again.
 * @throws AnnealError for which `isOwnAnswer` holds: it is about this channel alone, whose state stays
 */
export async function* readChannel(run: ChannelRun, channel: TeamChannel): AsyncIterable<Change> {
  const { graph } = run;
  const acl = admitAccount(audienceOf(graph, channel), (await graph.account())?.principal);
  const before = run.states.get(stateKey(channel));
  const listing: ListingStart = { position: null, isUntouched: true };
  // Once a listing is due the link is left alone: where the feed alone fails, it holds the channel up no longer than that.
  if (before !== undefined && !isListingDue(run, before)) {
    const round = await followLink(graph, run.context.signal, channel, before.link);
    const position = round?.link ?? null;
    if (round !== null && position !== null && round.threads.size <= maxNamedThreads) {
      if (yield* readNamed(run, channel, acl, round.threads, { ...before, link: position })) return;
      listing.isUntouched = false;
    }
    listing.position = position;
  }
  yield* listChannel(run, channel, acl, listing);
}

/** Whether its feed is asked, at first, and not its listing. */
export function isFollowed(run: ChannelRun, channel: TeamChannel): boolean {
  const state = run.states.get(stateKey(channel));
  return state !== undefined && !isListingDue(run, state);
}

function isListingDue({ graph, completeEveryHours }: ChannelRun, { listedAt }: ChannelState): boolean {
  const ageHours = (graph.now() / 1000 - listedAt) / 3600;
  // A listing in the future is a clock that was set back; those of one service's machines are a little apart.
  return ageHours < -0.1 || ageHours >= completeEveryHours;
}

/**
 * Reads the threads again that the feed names.
 * @param reached the channel's state once they are read
 * @returns false where only a listing can tell what became of one of them
 */
async function* readNamed(
  run: ChannelRun,
  channel: TeamChannel,
  acl: Acl,
  threads: FeedRound["threads"],
  reached: ChannelState,
): AsyncGenerator<Change, boolean> {
  const gone: string[] = [];
  let failed = false;
  for (const [id, isDeleted] of threads) {
    const ref = refOfThread(channel, id);
    let thread: ThreadOrNone;
    try {
      thread = await readThread(run.graph, channel, id);
    } catch (error) {
      run.context.signal.throwIfAborted();
      if (!isOwnAnswer(error)) throw error;
      failed = true;
      yield { type: "failure", ref, error: error.toReport() };
      continue;
    }
    const known = await run.known.fingerprintOf(ref);
    if (thread === "unclear") return false;
    // A reply that is gone comes without its thread, and a message may be told of before it can be had.
    if (thread === "gone" && (!isDeleted || known === null)) return false;
    if (typeof thread === "object") yield* changesOf(thread, acl, known, run.context.limits.documentBytes);
    else if (known !== null) gone.push(ref);
    run.scanned += 1;
    yield* run.passed();
  }
  // What failed before, as a whole, did not fail this time.
  const channelRef = refOfChannel(channel);
  if ((await run.known.fingerprintOf(channelRef)) !== null) gone.push(channelRef);
  for (const ref of gone) run.deleted.add(ref);
  // The feed names a thread once. With one that failed, all of them are named again, up to the next listing.
  if (failed) return true;
  const key = stateKey(channel);
  if (gone.length > 0) run.pendingStates.set(key, reached);
  else keepState(run, key, reached);
  return true;
}

type ListingStart = {
  /** Where the feed stands, so that the next sync is told what changes meanwhile; null to ask for it. */
  position: string | null;
  /** Whether nothing of the channel was stored by this run, so that what was known of it can be counted. */
  isUntouched: boolean;
};

async function* listChannel(
  run: ChannelRun,
  channel: TeamChannel,
  acl: Acl,
  { position, isUntouched }: ListingStart,
): AsyncIterable<Change> {
  const channelRef = refOfChannel(channel);
  const knownCount = await run.countKnown(channelRef);
  const findLink = () => findPosition(run.graph, run.context.signal, channel);
  const link = run.completeEveryHours > 0 ? (position ?? (await findLink())) : null;
  const listedAt = Math.floor(run.graph.now() / 1000);
  let metCount = 0;
  for await (const page of readThreads(run.graph, channel)) {
    for (const thread of page) {
      const isFirst = run.seen.add(thread.ref);
      const known = await run.known.fingerprintOf(thread.ref);
      if (isFirst && known !== null) metCount += 1;
      yield* changesOf(thread, acl, known, run.context.limits.documentBytes);
      run.scanned += 1;
      const { modifiedAt } = thread.document;
      if (modifiedAt !== null) run.listed.reach(channelRef, Date.parse(modifiedAt));
      yield* run.passed();
    }
  }
  run.enumerated.add(channelRef);
  const key = stateKey(channel);
  const state = link === null ? null : { link, listedAt, of: madeOf(channel, run.settings) };
  // Where nothing is missing there is no deletion to wait for: a run that is cut later need not list this channel again.
  if (isUntouched && metCount === knownCount) keepState(run, key, state);
  else run.pendingStates.set(key, state);
}
