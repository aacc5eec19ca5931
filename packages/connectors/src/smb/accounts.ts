import type { Principal } from "@anneal/core/access/acl";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import type { SmbConfig, SmbSecrets } from "./config.ts";
import { wellKnown } from "./ntfs-acl.ts";
import { openSmb } from "./smb-session.ts";

const accountsSchema = z.object({
  users: z.array(z.object({ sid: z.string(), name: z.string() })),
  /** SIDs of accounts that are no person's: disabled ones, and those of machines. */
  others: z.array(z.string()),
  groups: z.array(z.object({ sid: z.string(), name: z.string(), members: z.array(z.string()) })),
});
export type SmbAccounts = z.infer<typeof accountsSchema>;

/** Accounts that exist under the same name everywhere and belong to nobody: Administrator, Guest, krbtgt. */
const builtInRids = new Set(["500", "501", "502", "503", "504"]);

export const noAccounts: SmbAccounts = { users: [], others: [], groups: [] };

/** Groups that every machine has of its own under one and the same SID: Administrators, Users, … */
const ownGroupsOfAMachine = "S-1-5-32-";

/**
 * Accounts and groups as the servers tell them, and those that the configuration adds. A domain controller's own
 * Administrators and Users are others than the file server's, which the access lists mean: those are left out.
 *
 * @throws AnnealError where they shall be read and cannot be
 */
export async function loadAccounts(
  config: SmbConfig,
  secrets: SmbSecrets,
  context: Pick<ConnectContext, "signal" | "limits" | "python" | "onRemoteEvent">,
): Promise<SmbAccounts> {
  const { people, groups, accountsHost, readAccounts } = config;
  if (!readAccounts) return { users: people, others: [], groups };
  const own = await accountsOf(config.host, config, secrets, context).catch((error: unknown) => {
    // Windows servers tell their own accounts to administrators only; unknown groups of theirs then admit nobody.
    if (accountsHost !== null && isAnnealError(error) && error.code === "SOURCE_FORBIDDEN") return noAccounts;
    throw error;
  });
  const domain = accountsHost === null ? noAccounts : await accountsOf(accountsHost, config, secrets, context);
  return {
    users: [...own.users, ...domain.users, ...people],
    others: [...own.others, ...domain.others],
    groups: [...own.groups, ...domain.groups.filter((group) => !group.sid.startsWith(ownGroupsOfAMachine)), ...groups],
  };
}

async function accountsOf(
  host: string,
  config: SmbConfig,
  secrets: SmbSecrets,
  context: Pick<ConnectContext, "signal" | "limits" | "python" | "onRemoteEvent">,
): Promise<SmbAccounts> {
  const session = await openSmb({ ...config, host, share: "IPC$" }, secrets.password ?? "", context);
  try {
    return await session.request({ op: "accounts" }, accountsSchema, "accounts and groups");
  } catch (error) {
    throw isAnnealError(error) && error.code === "SOURCE_FORBIDDEN" ? accountsForbidden(host, config) : error;
  } finally {
    session.close();
  }
}

function accountsForbidden(host: string, config: SmbConfig): AnnealError {
  return new AnnealError("SOURCE_FORBIDDEN", `"${config.user}" may not read the accounts and groups of ${host}.`, {
    action:
      "Add that user to the policy “Network access: Restrict clients allowed to make remote calls to SAM”, name the domain controller, or turn “Read accounts and groups” off and enter people and groups.",
  });
}

export function smbPrincipal(config: SmbConfig, kind: "user" | "group", sid: string): Principal {
  return { source: "smb", tenant: config.host.toLowerCase(), kind, id: sid };
}

/**
 * A SID that is no known account's is a group's; one that nobody knows has no members. Disabled accounts go by the same
 * name as they do once they are enabled.
 */
export function principalOfSid(config: SmbConfig, { users, others }: SmbAccounts): (sid: string) => Principal {
  const known = new Set([...users.map(({ sid }) => sid), ...others]);
  return (sid) => smbPrincipal(config, known.has(sid) ? "user" : "group", sid);
}

export function* smbDirectory(config: SmbConfig, accounts: SmbAccounts): Iterable<DirectoryEntry> {
  const principalOf = principalOfSid(config, accounts);
  const names = Map.groupBy(accounts.users, ({ sid }) => sid);
  for (const [sid, [user]] of names) {
    if (user === undefined) continue;
    yield { type: "user", principal: principalOf(sid), name: user.name, emails: emailsOf(config, sid, user.name) };
  }
  for (const [sid, same] of Map.groupBy(accounts.groups, (group) => group.sid)) {
    const members = [...new Set(same.flatMap((group) => group.members))];
    yield { type: "group", principal: principalOf(sid), name: same[0]?.name ?? sid, members: members.map(principalOf) };
  }
  const everybody = [...names.keys()].filter((sid) => !sid.endsWith("-501")).map(principalOf);
  const authenticated = principalOf(wellKnown.authenticatedUsers);
  yield { type: "group", principal: authenticated, name: "Authenticated Users", members: everybody };
  yield { type: "group", principal: principalOf(wellKnown.everyone), name: "Everyone", members: [authenticated] };
  yield { type: "group", principal: principalOf(wellKnown.network), name: "Network", members: [authenticated] };
}

/** How many of the accounts are people here. */
export function countPeople(config: SmbConfig, { users }: SmbAccounts): number {
  const people = users.filter(({ sid, name }) => emailsOf(config, sid, name).length > 0);
  return new Set(people.map(({ sid }) => sid)).size;
}

function emailsOf({ userEmailDomain }: SmbConfig, sid: string, name: string): string[] {
  if (userEmailDomain === null || builtInRids.has(sid.split("-").at(-1) ?? "")) return [];
  // The accounts of machines end in a dollar sign.
  return /^[\w.-]+$/.test(name) ? [`${name}@${userEmailDomain}`.toLowerCase()] : [];
}
