import type { Change } from "@anneal/core/connect/change";
import type { ReadRequest } from "../connector.ts";
import { hideSource, hidingOf, isClosed } from "../hiding.ts";
import { rulesForAll } from "../reader-rules.ts";
import { deleteMissing } from "../reconcile.ts";
import { listChannelDrives, type FilesListing } from "./channel-files.ts";
import type { MicrosoftSecrets, TeamsConfig } from "./config.ts";
import { countFiles } from "./count-files.ts";
import { digestSettings } from "./drive-source.ts";
import { changeOfFile, knownFiles, knownThreads } from "./file-refs.ts";
import type { Graph } from "./graph-client.ts";
import { listChannels, type ChannelListing } from "./list-channels.ts";
import { readChannels } from "./read-channels.ts";
import { readDrives } from "./read-drives.ts";
import { parseTeamsCursor, type TeamsCursor } from "./teams-cursor.ts";

type TeamsRequest = ReadRequest<TeamsConfig, MicrosoftSecrets>;

const allReaders = rulesForAll("Teams");

/** What changed in the threads of channels since the last run, and then what changed in their files. */
export async function* readTeams(request: TeamsRequest, graph: Graph): AsyncIterable<Change> {
  const { config, known, context } = request;
  const position = parseTeamsCursor(request.cursor);
  let listing: ChannelListing;
  try {
    listing = await listChannels(graph, config);
  } catch (error) {
    yield* hideSource(error, known, hidingOf(known, allReaders), parseTeamsCursor(null));
    throw error;
  }
  const threads = { known: knownThreads(known), context };
  const first = config.files && request.cursor === null ? await surveyFiles(request, graph, listing) : null;
  const fileCount = config.files ? (first?.count ?? position.fileCount) : 0;
  let reached: TeamsCursor = { ...position, channels: {}, fileCount };
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
        reached = { ...reached, channels };
        scanned = threadCount;
        listsThreads = isListing;
        const listsAll = isListing && (!config.files || position.files === null);
        const all = total === null || fileCount === null ? null : total + fileCount;
        return { type: "checkpoint", cursor: reached, scanned, total: all, listsAll };
      },
    });
  } else yield* letGo(threads);
  if (config.files) yield* readFiles(request, graph, listing, reached, { scanned, listsAll: listsThreads }, first);
  else {
    for await (const change of letGo({ known: knownFiles(known), context })) {
      if (change.type !== "checkpoint") yield changeOfFile(change);
    }
    const cursor: TeamsCursor = { ...reached, files: null, folders: {}, fileCount: null };
    yield { type: "checkpoint", cursor, scanned, total: scanned };
  }
}

/** What the settings leave out from now on. */
async function* letGo({ known, context }: Pick<TeamsRequest, "known" | "context">): AsyncIterable<Change> {
  yield* deleteMissing(known, context.deletions, hidingOf(known, allReaders), () => true);
}

/** Files are counted before the threads are read, whose number is estimated: the total is of both. */
type FilesSurvey = { listing: FilesListing; count: number | null };

async function surveyFiles({ context }: TeamsRequest, graph: Graph, channels: ChannelListing): Promise<FilesSurvey> {
  const listing = await listChannelDrives(graph, channels, {});
  return { listing, count: await countFiles({ graph, context, listing, filter: everyFile }) };
}

const everyFile = { include: [], exclude: [] };

function incompleteness({ failures }: ChannelListing): FilesListing["incomplete"] {
  if (failures.length === 0) return null;
  return failures.every(({ error }) => isClosed(error)) ? "closed" : "unknown";
}

async function* readFiles(
  { config, known, context }: TeamsRequest,
  graph: Graph,
  channels: ChannelListing,
  position: TeamsCursor,
  threads: { scanned: number; listsAll: boolean },
  first: FilesSurvey | null,
): AsyncIterable<Change> {
  const listing = first?.listing ?? (await listChannelDrives(graph, channels, position.folders));
  // A team that cannot be listed has been told already, where its threads are read.
  const failures = [...(config.messages ? [] : channels.failures), ...listing.failures];
  const stream = readDrives({
    graph,
    known: knownFiles(known),
    context,
    cursor: position.files,
    filter: everyFile,
    counted: position.files === null ? position.fileCount : undefined,
    linkSharing: config.linkSharing,
    settings: await digestSettings(graph, config, ["teams"], context),
    listing: { ...listing, failures, incomplete: incompleteness(channels) },
  });
  for await (const change of stream) {
    if (change.type !== "checkpoint") yield changeOfFile(change);
    else {
      const { cursor, scanned, total, listsAll = false } = change;
      yield {
        type: "checkpoint",
        cursor: { ...position, files: cursor, folders: listing.folders, fileCount: null },
        scanned: threads.scanned + scanned,
        total: total === null ? null : threads.scanned + total,
        listsAll: threads.listsAll && listsAll,
      };
    }
  }
}
