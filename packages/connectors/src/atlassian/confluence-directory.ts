import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { DirectoryRequest } from "../connector.ts";
import { isAboutWhatWasAsked, NotTold } from "./atlassian-site.ts";
import { shownToNobody, type Intersection } from "./audience.ts";
import type { AtlassianSecrets, ConfluenceConfig } from "./config.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { readSpaceTree } from "./confluence-space.ts";
import { describeDirectory, toGroupMembers, type GroupMembers } from "./directory.ts";
import { findSpaces, withConfluence, type OpenedConfluence } from "./open-confluence.ts";

/**
 * Only accounts that may use Confluence are in it: a group that may view a space can hold others, who see nothing of it.
 * The restrictions are read once more: which intersections there are is nowhere else to be had.
 */
export async function* readConfluenceDirectory(
  request: DirectoryRequest<ConfluenceConfig, AtlassianSecrets>,
): AsyncIterable<DirectoryEntry> {
  yield* withConfluence(request, async function* (opened) {
    const people = await readPeople(opened);
    if (people === null) return;
    const { groups, entrants } = people;
    yield* describeDirectory(groups, listIntersections(request, opened), ({ principal }) => entrants.has(principal.id));
  });
}

/** @returns null where the site tells nobody: then nobody holds anything, and the check says what is missing */
async function readPeople({
  api,
  tenant,
}: OpenedConfluence): Promise<{ groups: GroupMembers[]; entrants: ReadonlySet<string> } | null> {
  try {
    const groups: GroupMembers[] = [];
    for await (const group of listConfluenceGroups(api, tenant)) groups.push(group);
    return { groups, entrants: await api.readEntrants(groups) };
  } catch (error) {
    if (error instanceof NotTold) return null;
    throw error;
  }
}

async function* listIntersections(
  { config, context }: DirectoryRequest<ConfluenceConfig, AtlassianSecrets>,
  { api, tenant }: OpenedConfluence,
): AsyncIterable<Intersection> {
  // That there is none is for the reader of documents to say, who then hides them.
  for (const space of (await findSpaces(api, config.spaces)).found) {
    try {
      const tree = await readSpaceTree(api, space, { ...config, tenant, attachments: false });
      for (const id of tree.contents.keys()) {
        context.signal.throwIfAborted();
        // A page whose audience cannot be read is shown to nobody, and needs no group.
        const audience = await tree.audienceOf(id).catch((error: unknown) => {
          if (!isAboutWhatWasAsked(error)) throw error;
          return shownToNobody;
        });
        yield* audience.intersections;
      }
    } catch (error) {
      if (!isAboutWhatWasAsked(error)) throw error;
    }
  }
}

export async function* listConfluenceGroups(api: ConfluenceApi, tenant: string): AsyncIterable<GroupMembers> {
  for await (const group of api.listGroups()) {
    yield toGroupMembers({ source: "confluence", tenant }, group, api.listMembers(group));
  }
}
