import type { Change } from "@anneal/core/connect/change";
import type { ReadRequest } from "../connector.ts";
import { estimateTotal } from "../estimate-total.ts";
import { reportOf } from "../failure.ts";
import { hideSource, hideWhere, hidingOf, type Hiding } from "../hiding.ts";
import { rulesForAll } from "../reader-rules.ts";
import { deleteMissing, firstSegment } from "../reconcile.ts";
import { SeenRefs } from "../seen-refs.ts";
import { ShareByTime } from "../share-by-time.ts";
import type { SlackConfig, SlackSecrets } from "./config.ts";
import {
  endOfDay,
  isCompleteDue,
  isCovered,
  maxListed,
  parseCursor,
  startOfDay,
  startOfRef,
  windowStart,
  type SlackCursor,
} from "./cursor.ts";
import { dayChange, threadChange, type DocumentSource } from "./documents.ts";
import { readDays } from "./history.ts";
import { compareTs } from "./message.ts";
import { Names } from "./people.ts";
import { createSlackClient } from "./slack-client.ts";
import { isAboutOneItem } from "./slack-error.ts";
import { listChannels, notInChannel, openWorkspace, type Channel, type ChannelList } from "./workspace.ts";

const checkpointEvery = 50;
const readers = rulesForAll("the channel's members");

type Request = ReadRequest<SlackConfig, SlackSecrets>;

export async function* readSlack(request: Request): AsyncIterable<Change> {
  const { config, secrets, known, context } = request;
  const client = createSlackClient(config, secrets, context);
  try {
    const workspace = await openWorkspace(client);
    let listed: ChannelList;
    try {
      listed = await listChannels(client, config);
    } catch (error) {
      yield* hideSource(error, known, hidingOf(known, readers), parseCursor(null, config, context.limits));
      throw error;
    }
    const { channels, unknown } = listed;
    for (const call of unknown) yield { type: "failure", ref: `${call}/`, error: notInChannel(call).toReport() };
    const names = new Names(client, channels);
    const source = { client, workspace, names, known, limitBytes: context.limits.documentBytes };
    yield* new SlackRun(request, source).read(channels, unknown.length === 0);
  } finally {
    await client.close();
  }
}

/**
 * One sync. A complete one reads every channel from its beginning; the others read the window of the last days, and
 * only what they have not read before from its beginning.
 */
class SlackRun {
  readonly #request: Request;
  readonly #source: DocumentSource;
  readonly #since: string;
  readonly #before: SlackCursor;
  readonly #seen = new SeenRefs();
  #cursor: SlackCursor;
  #newest: string;
  #failed = new Set<string>();
  #scanned = 0;
  #uncheckpointed = 0;
  #listsAll = false;
  /** Of all channels, in a complete sync. */
  #read = new ShareByTime([], 0);

  constructor(request: Request, source: DocumentSource) {
    this.#request = request;
    this.#source = source;
    this.#since = startOfDay(request.config.since);
    this.#before = parseCursor(request.cursor, request.config, request.context.limits);
    this.#cursor = this.#before;
    this.#newest = this.#before.newest;
  }

  /** @param allFound false when a chosen channel is not there: it may only have got another name */
  async *read(channels: readonly Channel[], allFound: boolean): AsyncIterable<Change> {
    const { config, known, context } = this.#request;
    const before = this.#before;
    const anew = await this.#channelsToReadWhole(channels);
    const complete = isCompleteDue(before, config, context.deletions.confirmed) || anew.size > maxListed;
    this.#listsAll = complete;
    if (complete) this.#read = this.#timesOf(channels);
    if (complete) this.#cursor = { ...before, listing: true, doneTo: before.listing ? before.doneTo : null };
    else if (anew.size > 0) {
      // Stored first: killed half-way, the next sync must know that they were not read to their end.
      this.#cursor = { ...before, pending: [...anew] };
      yield this.#checkpoint();
    }

    const window = windowStart(before.newest, config.rereadDays);
    /** From where each channel was listed; documents before it were not looked for. */
    const listedFrom = new Map<string, string>();
    const failedChannels: string[] = [];
    for (const channel of channels) {
      const whole = complete || anew.has(channel.id);
      const oldest = whole || compareTs(window, this.#since) < 0 ? this.#since : window;
      try {
        yield* this.#readChannel(channel, oldest, complete);
        listedFrom.set(channel.id, whole ? "0.000000" : oldest);
      } catch (error) {
        if (!isAboutOneItem(error)) throw error;
        failedChannels.push(channel.id);
        yield { type: "failure", ref: `${channel.id}/`, error: reportOf(error) };
      }
      this.#read.finish(channel.id);
    }

    const listed = new Set(channels.map(({ id }) => id));
    const isGone = (ref: string) => {
      const { channel, ts } = startOfRef(ref);
      if (!listed.has(channel)) return allFound;
      const from = listedFrom.get(channel);
      return from !== undefined && compareTs(ts, from) >= 0 && !this.#seen.has(ref);
    };
    const own = hidingOf(known, readers);
    const hiddenIn = new Set<string>();
    const hiding: Hiding = {
      ...own,
      changeOf(ref) {
        hiddenIn.add(startOfRef(ref).channel);
        return own.changeOf(ref);
      },
    };
    // Of a channel that was chosen and is not there, or not under this name any more, nobody is told.
    if (!allFound) yield* hideWhere(known, (ref) => !listed.has(startOfRef(ref).channel), hiding);
    const settled = yield* deleteMissing(known, context.deletions, hiding, isGone, firstSegment);
    // What waits for a person is looked for again, where it was missed.
    const again = complete && !settled;
    // What was hidden in a channel is read when that is there again, however old it is.
    const pending = [...failedChannels, ...[...hiddenIn].filter((id) => !listed.has(id))];
    const overflow = this.#failed.size > maxListed || pending.length > maxListed;
    const cursor: SlackCursor = {
      ...this.#cursor,
      newest: settled ? this.#newest : before.newest,
      syncs: complete ? 0 : before.syncs + 1,
      listing: overflow || again,
      doneTo: null,
      pending: overflow ? [] : pending,
      retry: overflow ? [] : [...this.#failed],
    };
    yield { type: "checkpoint", cursor, scanned: this.#scanned, total: this.#scanned };
  }

  #timesOf(channels: readonly Channel[]): ShareByTime {
    const sinceMs = msOf(this.#since);
    const parts = channels.map(({ id, createdAtMs }) => ({
      key: id,
      startedAtMs: createdAtMs === null ? sinceMs || null : Math.max(createdAtMs, sinceMs),
    }));
    return new ShareByTime(parts, Date.now());
  }

  /** Those of which nothing is held, and those that an earlier sync did not finish. */
  async #channelsToReadWhole(channels: readonly Channel[]): Promise<Set<string>> {
    if (this.#before.listing) return new Set();
    const held = new Set<string>();
    for await (const ref of this.#request.known.refs()) held.add(startOfRef(ref).channel);
    for (const id of this.#before.pending) held.delete(id);
    return new Set(channels.map(({ id }) => id).filter((id) => !held.has(id)));
  }

  async *#readChannel(channel: Channel, oldest: string, complete: boolean): AsyncIterable<Change> {
    const refOf = (place: string) => `${channel.id}/${place}`;
    /** Threads to be read although they may be older than what is listed. */
    const apart = new Set<string>();
    /** The beginnings of days that failed and are older than what is listed, which tries the others again. */
    const failedDays: string[] = [];
    for (const ref of this.#before.retry) {
      const { channel: id, ts, isThread } = startOfRef(ref);
      if (id !== channel.id) continue;
      if (isThread) apart.add(ts);
      else if (compareTs(ts, oldest) < 0 && compareTs(ts, this.#since) >= 0) failedDays.push(ts);
    }
    for await (const day of readDays(this.#source.client, channel.id, oldest)) {
      for (const ts of day.repliedThreads) apart.add(ts);
      for (const { ts } of [...day.unthreaded, ...day.roots]) if (compareTs(ts, this.#newest) > 0) this.#newest = ts;
      if (day.unthreaded.length > 0) {
        this.#read.reach(channel.id, msOf(day.unthreaded[0]!.ts));
        yield* this.#report(refOf(day.day), await dayChange(this.#source, channel, day));
      }
      for (const root of day.roots) {
        this.#read.reach(channel.id, msOf(root.ts));
        // What this listing had read before it was interrupted is read again only when the history shows a change.
        const covered = complete && isCovered(this.#before.doneTo, channel.id, root.ts);
        const trusted = covered && !apart.has(root.ts);
        yield* this.#report(refOf(root.ts), await threadChange(this.#source, channel, root.ts, root, trusted));
        if (complete && !isCovered(this.#cursor.doneTo, channel.id, root.ts)) {
          this.#cursor = { ...this.#cursor, doneTo: { channel: channel.id, ts: root.ts } };
        }
        if (this.#uncheckpointed >= checkpointEvery) yield this.#checkpoint();
      }
      if (this.#uncheckpointed >= checkpointEvery) yield this.#checkpoint();
    }
    for (const ts of apart) {
      if (this.#seen.has(refOf(ts)) || compareTs(ts, this.#since) < 0) continue;
      yield* this.#report(refOf(ts), await threadChange(this.#source, channel, ts, null, false));
    }
    for (const start of failedDays) {
      for await (const day of readDays(this.#source.client, channel.id, start, endOfDay(start))) {
        if (day.unthreaded.length === 0) continue;
        yield* this.#report(refOf(day.day), await dayChange(this.#source, channel, day));
      }
    }
  }

  *#report(ref: string, change: Change | null): Iterable<Change> {
    this.#seen.add(ref);
    this.#scanned += 1;
    this.#uncheckpointed += 1;
    // One that is too large stays so until it changes, which its root shows.
    if (change?.type === "failure" && change.error.code !== "DOCUMENT_TOO_LARGE") this.#failed.add(ref);
    if (change !== null) yield change;
  }

  #checkpoint(): Change {
    this.#uncheckpointed = 0;
    // What failed before the position is not met again by a sync that goes on from it.
    const retry = [...new Set([...this.#before.retry, ...this.#failed])].slice(0, maxListed);
    const cursor = { ...this.#cursor, retry };
    const total = estimateTotal(this.#scanned, this.#read.share);
    return { type: "checkpoint", cursor, scanned: this.#scanned, total, listsAll: this.#listsAll };
  }
}

function msOf(ts: string): number {
  return Number(ts) * 1000;
}
