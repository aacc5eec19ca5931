import type { Change, KnownItems } from "@anneal/core/connect/change";
import type { ConnectContext, ReadRequest } from "../connector.ts";
import { estimateTotal } from "../estimate-total.ts";
import { SeenRefs } from "../seen-refs.ts";
import { ShareByTime } from "../share-by-time.ts";
import type { Graph } from "./graph-client.ts";
import type { ChannelListing } from "./list-channels.ts";
import type { ChannelState, ChannelStates } from "./teams-cursor.ts";

export type ChannelsRequest = Pick<ReadRequest<unknown, unknown>, "known" | "context"> & {
  graph: Graph;
  listing: ChannelListing;
  /** The positions that were stored. */
  states: ChannelStates;
  /** A digest of what every channel's documents depend on. */
  settings: string;
  /** 0: every channel is listed at each sync, and no feed is asked for. */
  completeEveryHours: number;
  checkpoint(states: ChannelStates, scanned: number, total: number | null, listsAll: boolean): Change;
};

/** What one run has learned so far, of all its channels. */
export type ChannelRun = {
  graph: Graph;
  known: KnownItems;
  context: ConnectContext;
  /** A digest of what every channel's documents depend on. */
  settings: string;
  completeEveryHours: number;
  /** By `stateKey`, as they may be stored now. */
  states: Map<string, ChannelState>;
  /** Those that count once the run's deletions are through, null for none: until then a later run finds these again. */
  pendingStates: Map<string, ChannelState | null>;
  /** No channel is followed: all are listed. */
  listsAll: boolean;
  /** Threads looked at. */
  scanned: number;
  /** Of the channels that are listed, by `refOfChannel`. */
  listed: ShareByTime;
  /** Refs met in `enumerated` channels (by `refOfChannel`), which were listed from end to end. */
  seen: SeenRefs;
  enumerated: Set<string>;
  /**
   * Known refs that go, whatever was listed: threads that the feed says are deleted or that have nothing left to read, and
   * failures of whole channels and teams that did not fail this time.
   */
  deleted: Set<string>;
  /** How many threads of a channel were known when the first channel of this run was listed. */
  countKnown(channelRef: string): Promise<number>;
  /** Called after a thread or a channel. @returns a checkpoint, now and then */
  passed(): Change[];
};

const checkpointEvery = 200;

export function createChannelRun(request: ChannelsRequest): ChannelRun {
  const { graph, known, context, settings, completeEveryHours, checkpoint } = request;
  let passed = 0;
  const run: ChannelRun = {
    graph,
    known,
    context,
    settings,
    completeEveryHours,
    states: new Map(Object.entries(request.states)),
    pendingStates: new Map(),
    listsAll: false,
    scanned: 0,
    listed: new ShareByTime([], 0),
    seen: new SeenRefs(),
    enumerated: new Set(),
    deleted: new Set(),
    countKnown: knownChannels(known),
    passed() {
      passed += 1;
      if (passed % checkpointEvery !== 0) return [];
      const total = estimateTotal(run.scanned, run.listed.share);
      return [checkpoint(Object.fromEntries(run.states), run.scanned, total, run.listsAll)];
    },
  };
  return run;
}

export function keepState(run: ChannelRun, key: string, state: ChannelState | null): void {
  if (state === null) run.states.delete(key);
  else run.states.set(key, state);
}

/** A thread's ref begins with its channel's. */
export function channelOfRef(ref: string): string {
  return ref.slice(0, ref.indexOf("/", ref.indexOf("/") + 1) + 1);
}

/** Counted once, and only if a channel is listed: before the first of those. */
function knownChannels(known: KnownItems): ChannelRun["countKnown"] {
  let found: Promise<Map<string, number>> | undefined;
  const count = async () => {
    const counts = new Map<string, number>();
    for await (const ref of known.refs()) {
      const channel = channelOfRef(ref);
      // That a channel failed as a whole is no thread of it.
      if (ref !== channel) counts.set(channel, (counts.get(channel) ?? 0) + 1);
    }
    return counts;
  };
  return async (channelRef) => (await (found ??= count())).get(channelRef) ?? 0;
}
