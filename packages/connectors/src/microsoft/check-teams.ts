import type { CapabilityCheck, CheckResult, ConnectContext } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import { addToPreview, describePreview, type Preview } from "../preview.ts";
import { listChannelDrives, type FilesListing } from "./channel-files.ts";
import { checkPermissions } from "./check-drives.ts";
import { checkPeople } from "./check-people.ts";
import { checkSiteGroups } from "./check-site-groups.ts";
import type { MicrosoftSecrets, TeamsConfig } from "./config.ts";
import { isFile, isFolder } from "./drive-items.ts";
import { itemPath } from "./drive-run.ts";
import type { Graph } from "./graph-client.ts";
import { driveItemFields, driveItemPageSchema } from "./graph-schemas.ts";
import { listChannels, type TeamChannel } from "./list-channels.ts";
import { wasNeverPublished } from "./published-version.ts";
import { findPosition } from "./message-feed.ts";
import { readThreads } from "./read-threads.ts";

const checkMs = 5_000;

/** What answers and what would be read, without reading more than a few seconds get. */
export async function checkTeams(
  graph: Graph,
  config: TeamsConfig,
  secrets: MicrosoftSecrets,
  context: ConnectContext,
): Promise<CheckResult> {
  try {
    const channelListing = await listChannels(graph, config);
    const { channels, failures } = channelListing;
    const place = `${channels.length} ${channels.length === 1 ? "channel" : "channels"}`;
    const checks: CapabilityCheck[] = [];
    const found: string[] = [];
    if (config.messages) {
      found.push(describePreview(await previewThreads(graph, channels), "thread"));
      checks.push(orFailure("read", failures[0], `The messages of ${place} can be read.`), {
        capability: "permissions",
        status: "ok",
        message: "Who is in a channel may read it: its team, or the members of a private or shared one.",
      });
      const [channel] = channels;
      if (channel !== undefined) checks.push(await checkChanges(graph, context, channel, config));
    }
    if (config.files) {
      const listing = await listChannelDrives(graph, channelListing, {});
      found.push(describePreview(await previewFiles(graph, listing), "file"));
      checks.push(
        orFailure(
          "files",
          listing.failures[0] ?? (config.messages ? undefined : failures[0]),
          `The files of ${place} can be read.`,
        ),
        ...(config.messages ? [] : [fileChanges]),
        await checkPermissions(graph, listing.drives[0], config),
      );
      const [site] = listing.sites;
      if (site !== undefined) checks.push(await checkSiteGroups(config, secrets, context, async () => site.url));
    }
    const people = await checkPeople(graph);
    if (people.error !== null) return { ...people, checks: [...checks, ...people.checks] };
    return {
      checks: [...checks, ...people.checks],
      summary: `${place} can be read, with ${found.join(" and ")}.`,
      error: null,
    };
  } catch (error) {
    context.signal.throwIfAborted();
    return failedCheck("read", error);
  }
}

const fileChanges: CapabilityCheck = {
  capability: "changes",
  status: "ok",
  message: "Each sync asks which files have changed, were moved or deleted.",
};

/** One channel stands for all; another that has no feed is listed, whatever is said here. */
async function checkChanges(
  graph: Graph,
  { signal }: ConnectContext,
  channel: TeamChannel,
  { completeEveryHours }: TeamsConfig,
): Promise<CapabilityCheck> {
  const capability = "changes";
  if (completeEveryHours === 0) {
    return { capability, status: "ok", message: "All messages of each channel are listed at each sync." };
  }
  if ((await findPosition(graph, signal, channel)) !== null) {
    const every = completeEveryHours === 1 ? "every hour" : `every ${completeEveryHours} hours`;
    const message = `Each sync asks which messages have changed; ${every} each channel is listed whole, which finds what that leaves out.`;
    return { capability, status: "ok", message };
  }
  const name = channel.displayName ?? channel.id;
  const message = `Microsoft Graph does not tell which messages of "${name}" have changed: such channels are listed whole at each sync.`;
  return { capability, status: "warning", message };
}

function orFailure(
  capability: string,
  failure: FilesListing["failures"][number] | undefined,
  message: string,
): CapabilityCheck {
  if (failure === undefined) return { capability, status: "ok", message };
  return { capability, status: "warning", message: failure.error.message, action: failure.error.action };
}

async function previewThreads(graph: Graph, channels: readonly TeamChannel[]): Promise<Preview> {
  const preview: Preview = { count: 0, complete: true, samples: [] };
  const until = performance.now() + checkMs;
  for (const channel of channels) {
    if (performance.now() > until) preview.complete = false;
    if (!preview.complete) break;
    for await (const threads of readThreads(graph, channel)) {
      for (const { document } of threads) addToPreview(preview, `“${document.title}”`);
      preview.complete &&= performance.now() < until;
      if (!preview.complete) break;
    }
  }
  return preview;
}

/** What lies in the folders themselves; what lies deeper is not counted. */
async function previewFiles(graph: Graph, { folders }: FilesListing): Promise<Preview> {
  const preview: Preview = { count: 0, complete: true, samples: [] };
  const until = performance.now() + checkMs;
  for (const [driveId, ofDrive] of Object.entries(folders)) {
    for (const folderId of Object.values(ofDrive)) {
      if (performance.now() > until) return { ...preview, complete: false };
      const page = await graph.json(`${itemPath(driveId, folderId)}/children`, driveItemPageSchema, {
        query: { $select: driveItemFields },
      });
      for (const item of page.value) {
        if (isFile(item) && !wasNeverPublished(item)) addToPreview(preview, item.name ?? item.id);
        if (isFolder(item)) preview.complete = false;
      }
      if (page["@odata.nextLink"]) preview.complete = false;
    }
  }
  return preview;
}
