import { principalKey, type Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { DirectoryRequest } from "../connector.ts";
import { noneIfClosed } from "../hiding.ts";
import type { GdriveConfig, GdriveSecrets } from "./config.ts";
import {
  createDirectoryClient,
  isNotGranted,
  listGroups,
  listMembers,
  listUsers,
  type DirectoryClient,
  type DirectoryMember,
} from "./directory-api.ts";
import { folderType, listFiles } from "./drive-api.ts";
import { isRefusedAlone, unknownMembers, unknownPeople } from "../remote/refused-alone.ts";
import { googlePrincipal, insidersOf } from "./drive-permissions.ts";
import { isInScope, openDriveAccess, tenantOf, type DriveAccess } from "./drive-access.ts";
import { parseServiceAccount } from "./service-account.ts";

/**
 * The Workspace's users, groups and domains, and the people from elsewhere whom documents name. Where the directory is
 * not granted only the latter remain: Drive vouches for the address of each person that it names, but not for who is in
 * a group or a domain, so these hold nobody.
 */
export async function* readDriveDirectory(
  request: DirectoryRequest<GdriveConfig, GdriveSecrets>,
): AsyncIterable<DirectoryEntry> {
  const { config, secrets, context } = request;
  const account = parseServiceAccount(secrets.serviceAccountKey);
  const access = await openDriveAccess(request).catch(noneIfClosed);
  try {
    const directory = createDirectoryClient({ account, config, context });
    const tellsInsiders = access?.corpora.some(({ restrictions }) => restrictions.domainUsersOnly === true) ?? false;
    const own = await readWorkspace(directory, tenantOf(config, account), tellsInsiders).finally(() =>
      directory.close(),
    );
    for (const entry of own.entries) yield entry;
    if (access !== null) yield* namedPeople(access, own.domains);
  } finally {
    await access?.close();
  }
}

type Workspace = { entries: DirectoryEntry[]; domains: ReadonlySet<string> };

/**
 * Held whole before any of it is told: half a directory would be taken for all of it. One group that is refused alone is
 * told as a failure in its place.
 *
 * @param tellsInsiders besides each person and group, who of them belongs to the Workspace (`insidersOf`)
 */
async function readWorkspace(client: DirectoryClient, tenant: string, tellsInsiders: boolean): Promise<Workspace> {
  try {
    const entries: DirectoryEntry[] = [];
    const everybody: Principal[] = [];
    const byDomain = new Map<string, Principal[]>();
    for await (const user of listUsers(client)) {
      const principal = googlePrincipal(tenant, "user", user.primaryEmail);
      const domain = domainOf(user.primaryEmail);
      const ofDomain = byDomain.get(domain) ?? [];
      byDomain.set(domain, ofDomain);
      // Such an account reads nothing in Drive either.
      if (user.suspended || user.archived) continue;
      const name = user.name?.fullName ?? user.primaryEmail;
      entries.push({ type: "user", principal, name, emails: [user.primaryEmail, ...user.aliases] });
      everybody.push(principal);
      ofDomain.push(principal);
    }
    for await (const group of listGroups(client)) {
      const principal = googlePrincipal(tenant, "group", group.email);
      const name = group.name || group.email;
      try {
        const members = (await listMembers(client, group.id)).flatMap((member) => membersOf(member, tenant, everybody));
        entries.push({ type: "group", principal, name, members });
      } catch (error) {
        if (!isRefusedAlone(error)) throw error;
        entries.push(unknownMembers(name, error));
      }
    }
    for (const [domain, members] of byDomain) {
      entries.push({ type: "group", principal: googlePrincipal(tenant, "domain", domain), name: domain, members });
    }
    if (tellsInsiders) entries.push(...describeInsiders(entries, everybody));
    return { entries, domains: new Set(byDomain.keys()) };
  } catch (error) {
    if (!isNotGranted(error)) throw error;
    return { entries: [], domains: new Set() };
  }
}

/** A group in a group stands for its own insiders; one from elsewhere has none. */
function describeInsiders(entries: readonly DirectoryEntry[], everybody: readonly Principal[]): DirectoryEntry[] {
  const own = new Set(everybody.map(principalKey));
  return entries.flatMap((entry): DirectoryEntry[] => {
    if (entry.type === "failure" || entry.principal.kind === "domain") return [];
    const { principal, name } = entry;
    const insiders = insidersOf(principal);
    if (insiders === principal) return [];
    const members =
      entry.type === "user"
        ? [principal]
        : entry.members.flatMap((member) => {
            if (member.kind !== "user") return insidersOf(member);
            return own.has(principalKey(member)) ? member : [];
          });
    return [{ type: "group", principal: insiders, name, members }];
  });
}

function membersOf({ type, email, status }: DirectoryMember, tenant: string, everybody: Principal[]): Principal[] {
  if (status !== undefined && status !== "ACTIVE") return [];
  switch (type) {
    case "USER":
      return email ? [googlePrincipal(tenant, "user", email)] : [];
    case "GROUP":
      return email ? [googlePrincipal(tenant, "group", email)] : [];
    case "CUSTOMER":
      return everybody;
    default:
      return [];
  }
}

/** @param known domains of whose people the directory has told already, those who may no longer sign in left out */
async function* namedPeople(access: DriveAccess, known: ReadonlySet<string>): AsyncIterable<DirectoryEntry> {
  const told = new Set<string>();
  const { client, corpora, tree } = access;
  for (const corpus of corpora) {
    for await (const { files } of listFiles(client, corpus, `trashed = false and mimeType != '${folderType}'`)) {
      for (const file of files) {
        let readers: readonly Principal[];
        try {
          readers = (await isInScope(access, file)) ? (await tree.audienceOf(file)).acl.allow : [];
        } catch (error) {
          if (!isRefusedAlone(error)) throw error;
          yield unknownPeople(file.name, error);
          continue;
        }
        for (const principal of readers) {
          if (principal.kind !== "user" || known.has(domainOf(principal.id))) continue;
          const key = principalKey(principal);
          if (told.has(key)) continue;
          told.add(key);
          yield { type: "user", principal, name: principal.id, emails: [principal.id] };
        }
      }
    }
  }
}

function domainOf(email: string): string {
  return (email.split("@").at(-1) ?? "").toLowerCase();
}
