import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { AnnealError } from "@anneal/core/errors";
import type { DirectoryRequest } from "../connector.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import { shownToNobody, type Intersection } from "./audience.ts";
import type { AtlassianSecrets, ConfluenceConfig } from "./config.ts";
import type { ConfluenceApi } from "./confluence-api.ts";
import { readSpaceTree } from "./confluence-space.ts";
import { describeDirectory, type GroupMembers } from "./directory.ts";
import { chooseSpaces, withConfluence, type OpenedConfluence } from "./open-confluence.ts";

/**
 * Only accounts that may use Confluence are in it: a group that may view a space can hold others, who see nothing of it.
 * The restrictions are read once more: which intersections there are is nowhere else to be had.
 */
export async function* readConfluenceDirectory(
  request: DirectoryRequest<ConfluenceConfig, AtlassianSecrets>,
): AsyncIterable<DirectoryEntry> {
  yield* withConfluence(request, async function* (opened) {
    const groups: GroupMembers[] = [];
    for await (const group of listConfluenceGroups(opened.api, opened.tenant)) groups.push(group);
    const entrances = await listEntrances(opened.api);
    const entrants = new Set(
      groups
        .filter(({ principal }) => entrances.has(principal.id))
        .flatMap(({ members }) => members.map(({ principal }) => principal.id)),
    );
    yield* describeDirectory(groups, listIntersections(request, opened), ({ principal }) => entrants.has(principal.id));
  });
}

/** @returns the ids of the groups whose members may use Confluence */
export async function listEntrances(api: ConfluenceApi): Promise<Set<string>> {
  const entrances = new Set<string>();
  for (const accessType of ["user", "admin"] as const) {
    for await (const { id } of api.listGroups(accessType)) entrances.add(id);
  }
  if (entrances.size > 0) return entrances;
  throw new AnnealError("SOURCE_FORBIDDEN", "Confluence does not tell which groups give access to it.", {
    action: "Give the account access to Confluence, and a token with scopes read:group:confluence; then sync again.",
  });
}

async function* listIntersections(
  { config, context }: DirectoryRequest<ConfluenceConfig, AtlassianSecrets>,
  { api, tenant }: OpenedConfluence,
): AsyncIterable<Intersection> {
  for (const space of (await chooseSpaces(api, config.spaces)).found) {
    try {
      const tree = await readSpaceTree(api, space, { tenant, blogPosts: config.blogPosts, attachments: false });
      for (const id of tree.contents.keys()) {
        context.signal.throwIfAborted();
        // A page whose audience cannot be read is shown to nobody, and needs no group.
        const audience = await tree.audienceOf(id).catch((error: unknown) => {
          if (!isAboutWhatWasAsked(error)) throw error;
          return shownToNobody;
        });
        if (audience.intersection !== null) yield audience.intersection;
      }
    } catch (error) {
      if (!isAboutWhatWasAsked(error)) throw error;
    }
  }
}

export async function* listConfluenceGroups(api: ConfluenceApi, tenant: string): AsyncIterable<GroupMembers> {
  const identity = { source: "confluence", tenant };
  for await (const { id, name } of api.listGroups()) {
    const group: GroupMembers = { principal: { ...identity, kind: "group", id }, name, members: [] };
    for await (const member of api.listMembers(id)) {
      const { accountId, accountType = "atlassian", accountStatus = "active" } = member;
      if (accountType !== "atlassian" || accountStatus !== "active") continue;
      group.members.push({
        principal: { ...identity, kind: "user", id: accountId },
        name: member.displayName || (member.publicName ?? ""),
        // Atlassian has its accounts confirm their address; it is there only where the person lets this account see it.
        email: member.email || null,
      });
    }
    yield group;
  }
}
