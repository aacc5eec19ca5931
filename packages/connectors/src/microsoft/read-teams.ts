import type { Change } from "@anneal/core/connect/change";
import type { ReadRequest } from "../connector.ts";
import { deleteMissing } from "../reconcile.ts";
import { listChannelDrives } from "./channel-files.ts";
import type { MicrosoftSecrets, TeamsConfig } from "./config.ts";
import { digestSettings } from "./drive-source.ts";
import { changeOfFile, knownFiles, knownThreads } from "./file-refs.ts";
import type { Graph } from "./graph-client.ts";
import { listChannels, type ChannelListing } from "./list-channels.ts";
import { readChannels } from "./read-channels.ts";
import { readDrives } from "./read-drives.ts";
import { parseTeamsCursor, type TeamsCursor } from "./teams-cursor.ts";

type TeamsRequest = ReadRequest<TeamsConfig, MicrosoftSecrets>;

/** What changed in the threads of channels since the last run, and then what changed in their files. */
export async function* readTeams(request: TeamsRequest, graph: Graph): AsyncIterable<Change> {
  const { config, known, context } = request;
  const position = parseTeamsCursor(request.cursor);
  const listing = await listChannels(graph, config);
  const threads = { known: knownThreads(known), context };
  let reached: TeamsCursor = { ...position, channels: {} };
  let scanned = 0;
  /** None of the messages is left out of this run's listings. */
  let listsThreads = true;
  if (config.messages) {
    yield* readChannels({
      ...threads,
      graph,
      listing,
      states: position.channels,
      settings: await digestSettings(graph, config, ["threads"], context),
      completeEveryHours: config.completeEveryHours,
      checkpoint(channels, threadCount, total, isListing) {
        reached = { ...position, channels };
        scanned = threadCount;
        listsThreads = isListing;
        const listsAll = isListing && (!config.files || position.files === null);
        return { type: "checkpoint", cursor: reached, scanned, total: config.files ? null : total, listsAll };
      },
    });
  } else yield* letGo(threads);
  if (config.files) yield* readFiles(request, graph, listing, reached, { scanned, listsAll: listsThreads });
  else {
    for await (const change of letGo({ known: knownFiles(known), context })) {
      if (change.type !== "checkpoint") yield changeOfFile(change);
    }
    const cursor: TeamsCursor = { ...reached, files: null, folders: {} };
    yield { type: "checkpoint", cursor, scanned, total: scanned };
  }
}

/** What the settings leave out from now on. */
async function* letGo({ known, context }: Pick<TeamsRequest, "known" | "context">): AsyncIterable<Change> {
  yield* deleteMissing(known, context.deletions, () => true);
}

async function* readFiles(
  { config, known, context }: TeamsRequest,
  graph: Graph,
  channels: ChannelListing,
  position: TeamsCursor,
  threads: { scanned: number; listsAll: boolean },
): AsyncIterable<Change> {
  const listing = await listChannelDrives(graph, channels.channels, position.folders);
  // A team that cannot be listed has been told already, where its threads are read.
  const failures = [...(config.messages ? [] : channels.failures), ...listing.failures];
  const stream = readDrives({
    graph,
    known: knownFiles(known),
    context,
    cursor: position.files,
    filter: { include: [], exclude: [] },
    linkSharing: config.linkSharing,
    settings: await digestSettings(graph, config, ["teams"], context),
    listing: { ...listing, failures, incomplete: channels.failures.length > 0 },
  });
  for await (const change of stream) {
    if (change.type !== "checkpoint") yield changeOfFile(change);
    else {
      const { cursor, scanned, total, listsAll = false } = change;
      yield {
        type: "checkpoint",
        cursor: { ...position, files: cursor, folders: listing.folders },
        scanned: threads.scanned + scanned,
        total: total === null ? null : threads.scanned + total,
        listsAll: threads.listsAll && listsAll,
      };
    }
  }
}
