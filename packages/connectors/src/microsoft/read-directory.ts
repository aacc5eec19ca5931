import type { Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { isRefusedAlone, unknownMembers } from "../remote/refused-alone.ts";
import { RemoteError } from "../remote/remote-client.ts";
import type { Graph, GraphAccount } from "./graph-client.ts";
import {
  groupPageSchema,
  memberPageSchema,
  organizationPageSchema,
  userPageSchema,
  type GraphGroup,
  type GraphUser,
} from "./graph-schemas.ts";
import { groupOwners, organizationOf } from "./item-acl.ts";

export const userQuery = {
  $select: "id,displayName,mail,userPrincipalName,proxyAddresses,userType,accountEnabled",
  $top: 999,
};
const groupQuery = { $select: "id,displayName,groupTypes", $top: 999 };
const memberQuery = { $select: "id", $top: 999 };
const groupsAtOnce = 8;

/**
 * The tenant's accounts and groups, all of them, and everybody together as the audience of an organization's links. An
 * account that signed in may see less: of what it cannot see nothing is said, because another source of the tenant may know
 * it, and where none does nobody is admitted.
 * @param usersByName is filled with the accounts by user principal name, in small letters
 */
export async function* readTenantDirectory(
  graph: Graph,
  usersByName?: Map<string, Principal>,
): AsyncIterable<DirectoryEntry> {
  const domains = await readVerifiedDomains(graph);
  const insiders: Principal[] = [];
  let isPartial = false;
  for await (const { users, account } of readUsers(graph)) {
    if (account !== undefined) {
      isPartial = true;
      const { user, principal } = account;
      // Who signs in is not disabled. Of its addresses User.Read tells the main ones.
      const emails = addressesOf({ ...user, accountEnabled: true }, domains);
      yield { type: "user", principal, name: user.displayName ?? user.id, emails, partial: true };
    }
    for (const user of users) {
      const principal = graph.principal("user", user.id);
      // An application may have been granted User.ReadBasic.All too.
      const isBasic = !tellsWhoIsEnabled([user]);
      isPartial ||= isBasic;
      if (!isGuest(user)) insiders.push(principal);
      if (user.userPrincipalName) usersByName?.set(user.userPrincipalName.toLowerCase(), principal);
      const entry = { type: "user" as const, principal, name: user.displayName ?? user.id };
      yield { ...entry, emails: addressesOf(user, domains), ...(isBasic ? { partial: true } : {}) };
    }
  }
  if (!isPartial) {
    yield { type: "group", principal: organizationOf(graph), name: "Everyone in the organization", members: insiders };
  }
  for await (const page of readGroupPages(graph)) {
    for (let at = 0; at < page.length; at += groupsAtOnce) {
      const groups = await Promise.all(page.slice(at, at + groupsAtOnce).map((group) => readGroup(graph, group)));
      for (const entries of groups) yield* entries;
    }
  }
}

/** `account` is the one that signed in, where it is all that is known. */
type UserPage = { users: GraphUser[]; account?: GraphAccount };

/**
 * With delegated permission the account alone, until an administrator consents to more: names and addresses could be had
 * without one (User.ReadBasic.All), but not who is disabled, and a disabled account must speak for nobody.
 */
async function* readUsers(graph: Graph): AsyncIterable<UserPage> {
  const pages = graph.pages("users", userPageSchema, { query: userQuery });
  const account = await graph.account();
  if (account === null) {
    for await (const users of pages) yield { users };
    return;
  }
  // The last row decides as much as the first, so that nothing is told of before all are there.
  const users: GraphUser[] = [];
  try {
    for await (const page of pages) users.push(...page);
  } catch (error) {
    if (!isRefused(error)) throw error;
    users.length = 0;
  }
  yield tellsWhoIsEnabled(users) ? { users } : { users: [], account };
}

/** User.ReadBasic.All lists everybody, and leaves out who is disabled. */
export function tellsWhoIsEnabled(users: readonly GraphUser[]): boolean {
  return users.length > 0 && users.every(({ accountEnabled }) => typeof accountEnabled === "boolean");
}

async function* readGroupPages(graph: Graph): AsyncIterable<GraphGroup[]> {
  try {
    yield* graph.pages("groups", groupPageSchema, { query: groupQuery });
  } catch (error) {
    if ((await graph.account()) === null || !isRefused(error)) throw error;
  }
}

export function isRefused(error: unknown): boolean {
  return error instanceof RemoteError && error.status === 403;
}

export async function readVerifiedDomains(graph: Graph): Promise<ReadonlySet<string>> {
  const domains = new Set<string>();
  for await (const page of graph.pages("organization", organizationPageSchema, {
    query: { $select: "verifiedDomains" },
  })) {
    for (const { verifiedDomains } of page) for (const { name } of verifiedDomains) domains.add(name.toLowerCase());
  }
  return domains;
}

function isGuest({ userType, userPrincipalName }: GraphUser): boolean {
  return userType === "Guest" || /#EXT#/i.test(userPrincipalName ?? "");
}

/**
 * An administrator can write any address into `mail`, another company's too; only the domains that the tenant has
 * proved to own say whose it is. A disabled account speaks for nobody, nor does one of which that is not told.
 */
export function addressesOf(user: GraphUser, verifiedDomains: ReadonlySet<string>): string[] {
  if (user.accountEnabled !== true || isGuest(user)) return [];
  const proxies = (user.proxyAddresses ?? [])
    .filter((address) => /^smtp:/i.test(address))
    .map((address) => address.slice("smtp:".length));
  const addresses = [user.userPrincipalName, user.mail, ...proxies].flatMap((address) => address?.toLowerCase() ?? []);
  return [...new Set(addresses)].filter((address) => {
    const at = address.lastIndexOf("@");
    return at > 0 && verifiedDomains.has(address.slice(at + 1));
  });
}

async function readGroup(graph: Graph, group: GraphGroup): Promise<DirectoryEntry[]> {
  const name = group.displayName ?? group.id;
  const path = `groups/${encodeURIComponent(group.id)}`;
  try {
    const entries = [await readMembers(graph, `${path}/members`, graph.principal("group", group.id), name)];
    // Only a Microsoft 365 group's owners are an audience of their own.
    if (group.groupTypes?.includes("Unified")) {
      entries.push(await readMembers(graph, `${path}/owners`, groupOwners(graph, group.id), `${name} (owners)`));
    }
    return entries;
  } catch (error) {
    // Deleted since it was listed.
    if (error instanceof RemoteError && error.status === 404) return [];
    // An account may see that there is a group and not who is in it.
    if ((await graph.account()) !== null && isRefused(error)) return [];
    throw error;
  }
}

/** With its direct members, groups among them; devices and applications read nothing. */
async function readMembers(graph: Graph, path: string, principal: Principal, name: string): Promise<DirectoryEntry> {
  const members: Principal[] = [];
  try {
    for await (const page of graph.pages(path, memberPageSchema, { query: memberQuery })) {
      for (const { "@odata.type": type, id } of page) {
        if (type === "#microsoft.graph.user") members.push(graph.principal("user", id));
        if (type === "#microsoft.graph.group") members.push(graph.principal("group", id));
      }
    }
  } catch (error) {
    if (!isRefusedAlone(error)) throw error;
    return unknownMembers(name, error);
  }
  return { type: "group", principal, name, members };
}
