import type { Change, KnownItems, SourceItem } from "@anneal/core/connect/change";
import { hasContent } from "../acl-change.ts";
import { contentOf } from "../content.ts";
import { reportOf, tooLarge } from "../failure.ts";
import { readThread, type ChannelDay } from "./history.ts";
import { fingerprintDay, fingerprintRoot, fingerprintThread, timeOf, type Message } from "./message.ts";
import type { Names } from "./people.ts";
import { peopleIn, renderMessages, titleOfDay, titleOfThread } from "./render.ts";
import type { SlackClient } from "./slack-client.ts";
import { isAboutOneItem, isThreadGone } from "./slack-error.ts";
import { aclOf, type Channel, type Workspace } from "./workspace.ts";

export type DocumentSource = {
  client: SlackClient;
  workspace: Workspace;
  names: Names;
  known: KnownItems;
  limitBytes: number;
};

/** One document for what was said in a channel on a day outside of threads; null when it is as it was. */
export async function dayChange(source: DocumentSource, channel: Channel, day: ChannelDay): Promise<Change | null> {
  const ref = `${channel.id}/${day.day}`;
  const fingerprint = fingerprintDay(day.unthreaded);
  const before = await source.known.fingerprintOf(ref);
  if (before === fingerprint) return null;
  if (isHidden(source, channel, before, fingerprint)) return shownAgain(source, channel, ref, fingerprint);
  try {
    await source.names.load(peopleIn(day.unthreaded));
  } catch (error) {
    if (!isAboutOneItem(error)) throw error;
    return { type: "failure", ref, error: error.toReport() };
  }
  return upsertOf(source, channel, ref, titleOfDay(channel.name, day.day), fingerprint, day.unthreaded);
}

/**
 * One document for a thread; null when it is as it was, or no more there.
 *
 * @param root as the history shows it; null for a thread outside of what was listed
 * @param trustRoot true when its replies were read lately: then they are only when the root shows a change
 */
export async function threadChange(
  source: DocumentSource,
  channel: Channel,
  ts: string,
  root: Message | null,
  trustRoot: boolean,
): Promise<Change | null> {
  const ref = `${channel.id}/${ts}`;
  const before = await source.known.fingerprintOf(ref);
  if (trustRoot && root !== null && before?.startsWith(`${fingerprintRoot(root)}-`) && !before.includes("|"))
    return null;
  try {
    const messages = await readThread(source.client, channel.id, ts, source.limitBytes);
    const first = root ?? messages[0];
    if (first === undefined || messages.length === 0) return null;
    const fingerprint = fingerprintThread(first, messages);
    if (before === fingerprint) return null;
    if (isHidden(source, channel, before, fingerprint)) return shownAgain(source, channel, ref, fingerprint);
    await source.names.load(peopleIn(messages));
    return upsertOf(source, channel, ref, titleOfThread(channel.name, messages, source.names), fingerprint, messages);
  } catch (error) {
    // Gone since it was listed, or long ago: the listing that covers it takes it out.
    if (isThreadGone(error)) return null;
    const report = reportOf(error);
    if (!isAboutOneItem(error) && report.code !== "DOCUMENT_TOO_LARGE") throw error;
    return { type: "failure", ref, error: report };
  }
}

/** Its channel was gone or closed to the app, and all that changed is that it is there again. */
function isHidden(
  { workspace }: DocumentSource,
  channel: Channel,
  before: string | null,
  fingerprint: string,
): boolean {
  return hasContent(before, fingerprint, aclOf(workspace, channel));
}

function shownAgain({ workspace }: DocumentSource, channel: Channel, ref: string, fingerprint: string): Change {
  return { type: "acl", ref, acl: aclOf(workspace, channel), fingerprint };
}

function upsertOf(
  { workspace, names, limitBytes }: DocumentSource,
  channel: Channel,
  ref: string,
  title: string,
  fingerprint: string,
  messages: readonly Message[],
): Change {
  const bytes = Buffer.from(renderMessages(title, messages, names));
  if (bytes.byteLength > limitBytes) {
    return { type: "failure", ref, error: tooLarge(title, bytes.byteLength, limitBytes).toReport() };
  }
  const times = messages.flatMap(({ ts, edited }) => [Number(ts), Number(edited?.ts ?? 0)]);
  const item: SourceItem = {
    ref,
    uri: `${workspace.url}archives/${channel.id}/p${messages[0]!.ts.replace(".", "")}`,
    title,
    mediaType: "text/plain",
    sizeBytes: bytes.byteLength,
    modifiedAt: timeOf(String(times.reduce((a, b) => Math.max(a, b)))).toISOString(),
    fingerprint,
    acl: aclOf(workspace, channel),
  };
  return { type: "upsert", item, content: contentOf(bytes) };
}
