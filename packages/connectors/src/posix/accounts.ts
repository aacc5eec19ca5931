import type { DirectoryEntry } from "@anneal/core/connect/directory";
import type { PosixPrincipals } from "./audience.ts";
import { hasName } from "./unnamed-ids.ts";

type Account = { name: string; uid: number; gid: number };
type Group = { name: string; gid: number; members: string[] };
export type PosixAccounts = { accounts: Account[]; groups: Group[] };

/** Below it are the accounts of services, whose names are no mailboxes (login.defs(5), UID_MIN). */
const firstPersonUid = 1000;

/** @param passwd as passwd(5) says, @param group as group(5) says; lines of any other shape are left out */
export function parseAccounts(passwd: string, group: string): PosixAccounts {
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
  { accounts, groups }: PosixAccounts,
  principals: PosixPrincipals,
  userEmailDomain: string | null,
): Iterable<DirectoryEntry> {
  const accountsByUid = Map.groupBy(accounts, ({ uid }) => uid);
  for (const [uid, same] of accountsByUid) {
    const isPerson = userEmailDomain !== null && uid >= firstPersonUid && hasName(uid);
    const emails = isPerson ? same.map(({ name }) => `${name}@${userEmailDomain}`) : [];
    yield { type: "user", principal: principals.user(uid), name: same[0]?.name ?? String(uid), emails };
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
