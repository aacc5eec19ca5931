import { nobody, type Acl, type Principal } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { SmbConfig } from "./config.ts";
import { shareName } from "./smb-errors.ts";
import type { SmbAccounts } from "./accounts.ts";
import { aclOfDescriptor, everybodySids } from "./ntfs-acl.ts";
import type { SmbSession } from "./smb-session.ts";

const shareSchema = z.object({
  share: z.union([z.object({ data: z.string() }), z.object({ error: z.string() })]).nullable(),
});

/**
 * Whom the share as a whole admits, whatever its files say; null for everybody.
 * @throws AnnealError SOURCE_FORBIDDEN where the server does not tell, as Windows tells administrators only
 */
export async function readShareAcl(
  session: SmbSession,
  config: SmbConfig,
  principalOf: (sid: string) => Principal,
): Promise<Acl | null> {
  if (config.shareAdmitsEverybody) return null;
  const { share } = await session.request({ op: "share" }, shareSchema, null);
  if (share === null) return null;
  if ("error" in share) throw shareUntold(config, share.error);
  const acl = aclOfDescriptor(Buffer.from(share.data, "base64"), principalOf);
  return acl.deny.length === 0 && acl.allow.some(({ id }) => everybodySids.has(id)) ? null : acl;
}

function shareUntold(config: SmbConfig, status: string): AnnealError {
  return new AnnealError(
    "SOURCE_FORBIDDEN",
    `${shareName(config)} does not tell "${config.user}" whom the share itself admits.`,
    {
      action:
        "Look at “Share Permissions” on the server: if they admit Everyone, say so with “The share admits everybody”; else sign in as one of its Administrators or Server Operators, or turn file permissions off and choose the audience.",
      details: { status },
    },
  );
}

/**
 * Narrows files' lists to those whom the share admits. "In this group and in that one" has no form in an ACL, so a
 * group stays where all its members are admitted, gives way to the share's own list where that admits fewer, and else
 * to those of its members who are admitted, as they are known now. A group whose members nobody knows is left out.
 */
export function narrowToShare(share: Acl, accounts: SmbAccounts, principalOf: (sid: string) => Principal) {
  const membersOf = createMembersOf(accounts);
  const usersOf = (principals: Principal[]) => new Set(principals.flatMap(({ id }) => [...membersOf(id)]));
  const denied = usersOf(share.deny);
  const admitted = new Set([...usersOf(share.allow)].filter((person) => !denied.has(person)));
  const replacements = new Map<string, Principal[]>();
  const replacementOf = (principal: Principal): Principal[] => {
    const members = membersOf(principal.id);
    const inBoth = [...members].filter((person) => admitted.has(person));
    if (inBoth.length === 0) return [];
    if (inBoth.length === members.size) return [principal];
    return inBoth.length === admitted.size ? share.allow : inBoth.map(principalOf);
  };
  return (acl: SourceAcl): SourceAcl => {
    const allow = acl.allow.flatMap(({ inheritedFrom, ...principal }) => {
      const replacement = replacements.get(principal.id) ?? replacementOf(principal);
      replacements.set(principal.id, replacement);
      return inheritedFrom === undefined ? replacement : replacement.map((each) => ({ ...each, inheritedFrom }));
    });
    return allow.length === 0 ? nobody : { allow, deny: [...acl.deny, ...share.deny] };
  };
}

/** The people whom a SID stands for, through groups in groups. */
function createMembersOf({ users, groups }: SmbAccounts): (sid: string) => ReadonlySet<string> {
  const people = new Set(users.map(({ sid }) => sid));
  const direct = Map.groupBy(groups, ({ sid }) => sid);
  const found = new Map<string, ReadonlySet<string>>();
  return (sid) => {
    const before = found.get(sid);
    if (before !== undefined) return before;
    const members = everybodySids.has(sid) ? people : reach(sid);
    found.set(sid, members);
    return members;
  };

  function reach(start: string): ReadonlySet<string> {
    const members = new Set<string>();
    const seen = new Set<string>();
    const open = [start];
    for (let sid = open.pop(); sid !== undefined; sid = open.pop()) {
      if (seen.has(sid)) continue;
      seen.add(sid);
      if (people.has(sid)) members.add(sid);
      if (everybodySids.has(sid)) for (const person of people) members.add(person);
      open.push(...(direct.get(sid) ?? []).flatMap((group) => group.members));
    }
    return members;
  }
}
