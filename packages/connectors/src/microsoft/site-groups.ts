import type { Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { z } from "zod";
import { isRefusedAlone, unknownMembers } from "../remote/refused-alone.ts";
import { createRemoteClient, RemoteError, type RemoteClient } from "../remote/remote-client.ts";
import type { MicrosoftSecrets, TenantConfig } from "./config.ts";
import { createTokenSource, type TokenContext } from "./entra-token.ts";
import type { Graph } from "./graph-client.ts";
import { guidOf, principalOfClaim, siteGroup } from "./item-acl.ts";

const siteGroupSchema = z.object({ Id: z.number(), Title: z.string() });
const siteGroupsSchema = z.object({ value: z.array(siteGroupSchema), "odata.nextLink": z.string().nullish() });
const siteUsersSchema = z.object({
  value: z.array(
    z.object({ LoginName: z.string(), AadObjectId: z.object({ NameId: z.string().nullish() }).nullish() }),
  ),
  "odata.nextLink": z.string().nullish(),
});

/** Whoever signs in consents to Microsoft Graph alone, and SharePoint takes an application's word only with a certificate. */
export function mayReadSiteGroups({ permission }: TenantConfig, { certificate }: MicrosoftSecrets): boolean {
  return permission === "application" && certificate !== undefined;
}

/** SharePoint's own API, the only one that tells who is in a site's groups; it takes a certificate, not a secret. */
export function createSiteClient(
  config: TenantConfig,
  secrets: MicrosoftSecrets,
  siteUrl: string,
  context: TokenContext,
): RemoteClient {
  const { origin } = new URL(siteUrl);
  const tokens = createTokenSource(config, secrets, `${origin}/.default`, context);
  const client = createRemoteClient({
    service: "SharePoint",
    baseUrl: siteUrl.endsWith("/") ? siteUrl : `${siteUrl}/`,
    allowPrivateHosts: config.allowPrivateHosts,
    context,
    authorize: async () => ({ authorization: `Bearer ${(await tokens.token()).value}` }),
  });
  return {
    ...client,
    async close() {
      await client.close();
      await tokens.close();
    },
  };
}

const plainJson = { accept: "application/json;odata=nometadata" };

export async function listSiteGroups(client: RemoteClient): Promise<z.infer<typeof siteGroupSchema>[]> {
  const groups: z.infer<typeof siteGroupSchema>[] = [];
  let next: string | null | undefined = "_api/web/sitegroups?$select=Id,Title";
  while (next) {
    const page: z.infer<typeof siteGroupsSchema> = await client.json(next, siteGroupsSchema, { headers: plainJson });
    groups.push(...page.value);
    next = page["odata.nextLink"];
  }
  return groups;
}

/**
 * The site's groups (Owners, Members, Visitors and its own), which hold people and Entra groups but never each other.
 * @param usersByName the tenant's accounts by user principal name, in small letters
 */
export async function* readSiteGroups(
  client: RemoteClient,
  graph: Graph,
  siteScope: string,
  usersByName: ReadonlyMap<string, Principal>,
): AsyncIterable<DirectoryEntry> {
  for (const { Id, Title } of await listVisibleGroups(client)) {
    try {
      const members = await readSiteGroup(client, graph, Id, usersByName);
      if (members === null) continue;
      yield { type: "group", principal: siteGroup(graph, siteScope, String(Id)), name: Title, members };
    } catch (error) {
      if (!isRefusedAlone(error)) throw error;
      yield unknownMembers(Title, error);
    }
  }
}

/** Without the right to see them nobody is let in by them; the check says so. */
async function listVisibleGroups(client: RemoteClient): Promise<z.infer<typeof siteGroupSchema>[]> {
  try {
    return await listSiteGroups(client);
  } catch (error) {
    if (error instanceof RemoteError && (error.status === 401 || error.status === 403)) return [];
    throw error;
  }
}

/** @returns null for one whose members are not told, which another source of the tenant may know */
async function readSiteGroup(
  client: RemoteClient,
  graph: Graph,
  id: number,
  usersByName: ReadonlyMap<string, Principal>,
): Promise<Principal[] | null> {
  const members: Principal[] = [];
  let next: string | null | undefined = `_api/web/sitegroups(${id})/users?$select=LoginName,AadObjectId`;
  while (next) {
    let page: z.infer<typeof siteUsersSchema>;
    try {
      page = await client.json(next, siteUsersSchema, { headers: plainJson });
    } catch (error) {
      // Deleted since it was listed, or its members are hidden.
      if (error instanceof RemoteError && (error.status === 404 || error.status === 403)) return null;
      throw error;
    }
    for (const { LoginName, AadObjectId } of page.value) {
      const name = /^i:0#\.f\|membership\|(.+)$/i.exec(LoginName)?.[1]?.toLowerCase();
      // Whoever was given the name of somebody who has left has not been given what that one could read.
      const userId = name === undefined ? null : guidOf(AadObjectId?.NameId);
      const account = name === undefined ? principalOfClaim(LoginName, graph) : usersByName.get(name);
      const principal = userId === null ? account : graph.principal("user", userId);
      if (principal) members.push(principal);
    }
    next = page["odata.nextLink"];
  }
  return members;
}
