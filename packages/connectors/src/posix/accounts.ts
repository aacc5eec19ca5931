import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { PosixPrincipals } from "./audience.ts";
import type { PosixPermissionsConfig } from "./config.ts";
import { namesGroupsByFilesAlone } from "./name-services.ts";
import { hasName } from "./unnamed-ids.ts";

type Account = { name: string; uid: number; gid: number };
type Group = { name: string; gid: number; members: string[] };
type AccountLists = { accounts: Account[]; groups: Group[] };
/** Whether the list of groups has all their members, or a directory may add some. */
export type PosixAccounts = AccountLists & { areGroupsWhole: boolean };

/** Where a system keeps its own groups, to which its name services may add members. */
const systemGroupPath = "/etc/group";
export const nameServicesPath = "/etc/nsswitch.conf";

/**
 * The lists that a source names. A list of groups of its own has their members by the word of whoever named it.
 * @param readText reads a file where the source's files are
 * @throws whatever `readText` throws of one of the two lists
 */
export async function readAccounts(
  { passwdPath, groupPath }: PosixPermissionsConfig,
  readText: (path: string) => Promise<string>,
): Promise<PosixAccounts> {
  const lists = parseAccounts(await readText(passwdPath), await readText(groupPath));
  if (groupPath !== systemGroupPath) return { ...lists, areGroupsWhole: true };
  const nameServices = await readText(nameServicesPath).catch(() => null);
  return { ...lists, areGroupsWhole: nameServices !== null && namesGroupsByFilesAlone(nameServices) };
}

/** @param passwd as passwd(5) says, @param group as group(5) says; lines of any other shape are left out */
export function parseAccounts(passwd: string, group: string): AccountLists {
  const accounts = linesOf(passwd).flatMap(([name = "", , uid, gid]) =>
    isId(uid) && isId(gid) && isName(name) ? [{ name, uid: Number(uid), gid: Number(gid) }] : [],
  );
  const groups = linesOf(group).flatMap(([name = "", , gid, members = ""]) =>
    isId(gid) && isName(name) ? [{ name, gid: Number(gid), members: members.split(",").filter(isName) }] : [],
  );
  return { accounts, groups };
}

/** Names that share an id are one account, or one group: rights are given to ids. */
export function* posixDirectory(
  { accounts, groups }: AccountLists,
  principals: PosixPrincipals,
  config: Pick<PosixPermissionsConfig, "userEmailDomain" | "firstPersonId">,
): Iterable<DirectoryEntry> {
  const { userEmailDomain } = config;
  const accountsByUid = Map.groupBy(accounts, ({ uid }) => uid);
  for (const [uid, same] of accountsByUid) {
    const isKnown = userEmailDomain !== null && isPerson(uid, config);
    const emails = isKnown ? same.map(({ name }) => `${name}@${userEmailDomain}`) : [];
    yield {
      type: "user",
      principal: principals.user(uid),
      name: wordAccount(uid, same[0]?.name ?? String(uid), config),
      emails,
    };
  }
  const uidsByName = new Map(accounts.map(({ name, uid }) => [name, uid]));
  const primaryOf = Map.groupBy(accounts, ({ gid }) => gid);
  const groupsByGid = Map.groupBy(groups, ({ gid }) => gid);
  for (const gid of new Set([...groupsByGid.keys(), ...primaryOf.keys()])) {
    const same = groupsByGid.get(gid) ?? [];
    const listed = same.flatMap(({ members }) => members.flatMap((name) => uidsByName.get(name) ?? []));
    const primary = (primaryOf.get(gid) ?? []).map(({ uid }) => uid);
    yield {
      type: "group",
      principal: principals.group(gid),
      name: same[0]?.name ?? String(gid),
      members: [...new Set([...listed, ...primary])].map(principals.user),
    };
  }
  yield {
    type: "group",
    principal: principals.others,
    name: "everyone with an account",
    members: [...accountsByUid.keys()].map(principals.user),
  };
}

/**
 * Ids below the first one are those of services, whose names are no mailboxes or somebody else's: mail, news, backup
 * (login.defs(5), UID_MIN).
 */
export function isPerson(uid: number, { firstPersonId }: Pick<PosixPermissionsConfig, "firstPersonId">): boolean {
  return uid >= firstPersonId && hasName(uid);
}

function wordAccount(
  uid: number,
  name: string,
  { firstPersonId }: Pick<PosixPermissionsConfig, "firstPersonId">,
): string {
  return uid < firstPersonId ? `${name}, a system account: nobody` : name;
}

function linesOf(text: string): string[][] {
  return text.split("\n").map((line) => line.split(":"));
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text);
}

/** Lines of NIS and comments begin with other characters. */
function isName(name: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.-]*\$?$/.test(name);
}
