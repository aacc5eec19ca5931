import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { Change } from "@anneal/core/connect/change";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { ReadRequest } from "../connector.ts";
import { contentOf } from "../content.ts";
import { tooLarge } from "../failure.ts";
import { deleteMissing } from "../reconcile.ts";
import { isRefusedAlone, unknownMembers } from "../remote/refused-alone.ts";
import { RemoteError } from "../remote/remote-client.ts";
import { SeenRefs } from "../seen-refs.ts";
import { digest } from "./drive-cursor.ts";
import { isOwnFault, type Graph } from "./graph-client.ts";
import { admitAccount } from "./item-acl.ts";
import { aclPart, joinParts, splitParts, type FingerprintParts } from "./item-fingerprint.ts";
import { channelPath, type ChannelListing, type TeamChannel } from "./list-channels.ts";
import { channelMemberPageSchema, messagePageSchema, threadPageSchema } from "./teams-schemas.ts";
import { writeThread, type ThreadDocument } from "./thread-document.ts";

/** A standard channel is its team's; a private or shared one has members of its own. */
function audienceOf(graph: Graph, channel: TeamChannel): Acl {
  switch (channel.membershipType) {
    case "standard":
      return { allow: [graph.principal("group", channel.teamId)], deny: [] };
    case "private":
    case "shared":
      return { allow: [membersOf(graph, channel)], deny: [] };
    default:
      return nobody;
  }
}

function membersOf(graph: Graph, channel: TeamChannel): Principal {
  return graph.principal("group", `channel/${channel.id}`);
}

/**
 * The members of private and shared channels; whom Graph does not name is not let in. Of a channel whose members it does
 * not tell nothing is said: another source of the tenant may know them.
 */
export async function* readChannelMembers(
  graph: Graph,
  channels: readonly TeamChannel[],
): AsyncIterable<DirectoryEntry> {
  for (const channel of channels) {
    const { membershipType } = channel;
    if (membershipType !== "private" && membershipType !== "shared") continue;
    const path = `${channelPath(channel)}/${membershipType === "shared" ? "allMembers" : "members"}`;
    const members: Principal[] = [];
    try {
      for await (const page of graph.pages(path, channelMemberPageSchema)) {
        for (const { userId, tenantId } of page) {
          // A shared channel has members of other tenants, whose ids mean nothing here.
          if (userId && (!tenantId || tenantId.toLowerCase() === graph.tenantId))
            members.push(graph.principal("user", userId));
        }
      }
    } catch (error) {
      if (isRefusedAlone(error)) yield unknownMembers(channel.displayName ?? channel.id, error);
      // Gone, or not for this source to see.
      else if (!(error instanceof RemoteError) || (error.status !== 403 && error.status !== 404)) throw error;
      continue;
    }
    yield { type: "group", principal: membersOf(graph, channel), name: channel.displayName ?? channel.id, members };
  }
}

const threadQuery = { $top: 50, $expand: "replies" };

type ReadThread = { ref: string; uri: string; document: ThreadDocument };

export async function* readThreads(graph: Graph, channel: TeamChannel): AsyncIterable<ReadThread[]> {
  for await (const page of graph.pages(`${channelPath(channel)}/messages`, threadPageSchema, { query: threadQuery })) {
    const threads: ReadThread[] = [];
    for (const { replies, "replies@odata.nextLink": more, ...root } of page) {
      const messages = [root, ...(replies ?? [])];
      if (more) for await (const next of graph.pages(more, messagePageSchema)) messages.push(...next);
      const document = writeThread(channel.displayName ?? channel.id, messages);
      const ref = `${channel.teamId}/${channel.id}/${root.id}`;
      if (document !== null) threads.push({ ref, uri: root.webUrl ?? ref, document });
    }
    yield threads;
  }
}

/** It carries no position: what was stored is known by its fingerprint, and a listing costs a request for 50 threads. */
const cursor = { version: 1 };
const checkpointEvery = 200;

/**
 * Every thread of every channel, compared by a digest of its words: Graph's feed of messages goes back eight months
 * only, and does not surely name a thread for a reply (docs/decisions/2026-11-29-teams-messages-are-listed-whole.md).
 */
export async function* readChannels(
  { known, context }: Pick<ReadRequest<unknown, unknown>, "known" | "context">,
  graph: Graph,
  listing: ChannelListing,
): AsyncIterable<Change> {
  const seen = new SeenRefs();
  const unlisted = listing.failures.map(({ ref }) => ref);
  const errors: RemoteError[] = [];
  let scanned = 0;
  for (const failure of listing.failures) yield { type: "failure", ...failure };
  for (const channel of listing.channels) {
    try {
      const acl = admitAccount(audienceOf(graph, channel), (await graph.account())?.principal);
      for await (const page of readThreads(graph, channel)) {
        for (const thread of page) {
          seen.add(thread.ref);
          scanned += 1;
          const before = await known.fingerprintOf(thread.ref);
          yield* changesOf(thread, acl, before, context.limits.documentBytes);
          if (scanned % checkpointEvery === 0) yield { type: "checkpoint", cursor, scanned, total: null };
        }
      }
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isOwnFault(error)) throw error;
      errors.push(error);
      const ref = `${channel.teamId}/${channel.id}/`;
      unlisted.push(ref);
      if (errors.length === listing.channels.length) throw errors[0];
      yield { type: "failure", ref, error: error.toReport() };
    }
  }
  yield* deleteMissing(
    known,
    context.deletions,
    (ref) => !seen.has(ref) && !unlisted.some((prefix) => ref.startsWith(prefix)),
  );
  yield { type: "checkpoint", cursor, scanned, total: scanned };
}

function* changesOf(
  { ref, uri, document }: ReadThread,
  acl: Acl,
  known: string | null,
  limitBytes: number,
): Iterable<Change> {
  const bytes = Buffer.from(document.html);
  const parts: FingerprintParts = { content: digest(document.html), place: digest(uri), acl: aclPart(acl) };
  const fingerprint = joinParts(parts);
  if (known === fingerprint) return;
  const before = splitParts(known);
  if (before !== null && before.acl !== parts.acl) {
    yield { type: "acl", ref, acl, fingerprint: joinParts({ ...before, acl: parts.acl }) };
  }
  if (before?.content === parts.content && before.place === parts.place) return;
  if (bytes.byteLength > limitBytes) {
    yield { type: "failure", ref, error: tooLarge(document.title, bytes.byteLength, limitBytes).toReport() };
    return;
  }
  const item = {
    ref,
    uri,
    title: document.title,
    mediaType: "text/html",
    sizeBytes: bytes.byteLength,
    modifiedAt: document.modifiedAt,
    fingerprint,
    acl,
  };
  yield { type: "upsert", item, content: contentOf(bytes) };
}
