import type { Change } from "@anneal/core/connect/change";
import { deleteMissing } from "../reconcile.ts";
import type { RemoteError } from "../remote/remote-client.ts";
import { channelOfRef, createChannelRun, keepState, type ChannelRun, type ChannelsRequest } from "./channel-run.ts";
import { isOwnFault } from "./graph-client.ts";
import type { ChannelListing } from "./list-channels.ts";
import { readChannel } from "./read-channel.ts";
import { refOfChannel } from "./read-threads.ts";
import { stateKey, storedStates } from "./teams-cursor.ts";

/**
 * What changed in the threads of channels: by the feed of each channel's messages, and by listing a channel whole where it
 * has no position in its feed, and again after some hours, for what the feed does not tell
 * (docs/decisions/2026-11-29-teams-messages-follow-links-between-listings.md).
 */
export async function* readChannels(request: ChannelsRequest): AsyncIterable<Change> {
  const { listing, known, context, checkpoint } = request;
  const run = createChannelRun(request);
  const errors: RemoteError[] = [];
  for (const failure of listing.failures) yield { type: "failure", ...failure };
  for (const channel of listing.channels) {
    try {
      yield* readChannel(run, channel);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isOwnFault(error)) throw error;
      errors.push(error);
      if (errors.length === listing.channels.length) throw errors[0];
      yield { type: "failure", ref: refOfChannel(channel), error: error.toReport() };
    }
    yield* run.passed();
  }

  for (const ref of new Set(listing.channels.map(({ teamId }) => `${teamId}/`))) {
    // What failed before, as a whole, did not fail this time.
    const fails = listing.failures.some((failure) => failure.ref === ref);
    if (!fails && (await known.fingerprintOf(ref)) !== null) run.deleted.add(ref);
  }
  const listed = new Set(listing.channels.map((channel) => stateKey(channel, request.settings)));
  const before = Object.keys(request.states);
  const lost = before.filter((key) => !listed.has(key));
  let settled = true;
  if (run.deleted.size > 0 || run.enumerated.size > 0 || lost.length > 0 || before.length === 0) {
    settled = yield* deleteMissing(known, context.deletions, goneIn(run, listing));
  }
  if (settled) {
    for (const [key, state] of run.pendingStates) keepState(run, key, state);
    // While a team fails it is not known whether they are of its channels.
    if (listing.failures.length === 0) for (const key of lost) run.states.delete(key);
  }
  yield checkpoint(storedStates(run.states), run.scanned, run.scanned);
}

function goneIn(run: ChannelRun, listing: ChannelListing): (ref: string) => boolean {
  const channels = new Set(listing.channels.map(refOfChannel));
  return (ref) => {
    if (run.deleted.has(ref)) return true;
    const channel = channelOfRef(ref);
    if (channels.has(channel)) return run.enumerated.has(channel) && !run.seen.has(ref);
    return !listing.failures.some((failure) => ref.startsWith(failure.ref));
  };
}
