import { nobody } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import type { SmbAccounts } from "./accounts.ts";
import { everybodySids } from "./ntfs-acl.ts";

/**
 * They concern nobody who reads a share by an account of theirs: other ways to sign in than over the network, and who has
 * no account at all. S-1-5-113 and -114, local accounts, are not among them: the file server's own accounts may be people
 * here. Nor is S-1-5-32-546, Guests: that is a group, to which a domain's accounts may belong, and told like any other.
 */
const concernNoReader = new Set([
  // Dial-up, batch, interactive, service
  "S-1-5-1",
  "S-1-5-3",
  "S-1-5-4",
  "S-1-5-6",
  // Anonymous
  "S-1-5-7",
  // Remote interactive
  "S-1-5-14",
]);

/**
 * Shows to nobody what denies somebody of whom the accounts do not tell who that is: a group of a domain that is not read,
 * or one with such a group in it. As a group without known members it would deny nobody.
 */
export function keepToldDenials(accounts: SmbAccounts): (acl: SourceAcl) => SourceAcl {
  const isTold = createIsTold(accounts);
  return (acl) => (acl.deny.every(({ id }) => isTold(id)) ? acl : nobody);
}

/** Whether everybody whom a SID stands for is known, through groups in groups. */
export function createIsTold({ users, others, groups }: SmbAccounts): (sid: string) => boolean {
  const single = new Set([...users.map(({ sid }) => sid), ...others, ...everybodySids, ...concernNoReader]);
  const direct = Map.groupBy(groups, ({ sid }) => sid);
  const found = new Map<string, boolean>();
  return (sid) => {
    const told = found.get(sid) ?? reach(sid);
    found.set(sid, told);
    return told;
  };

  function reach(start: string): boolean {
    const seen = new Set<string>();
    const open = [start];
    for (let sid = open.pop(); sid !== undefined; sid = open.pop()) {
      if (seen.has(sid) || single.has(sid)) continue;
      seen.add(sid);
      const same = direct.get(sid);
      if (same === undefined) return false;
      for (const { members } of same) for (const member of members) open.push(member);
    }
    return true;
  }
}
