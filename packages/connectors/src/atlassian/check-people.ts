import { isAnnealError } from "@anneal/core/errors";
import type { CapabilityCheck } from "../connector.ts";
import { isAboutWhatWasAsked } from "./atlassian-site.ts";
import type { Account, GroupMembers } from "./directory.ts";

/** Looks at the first groups only: a check answers within seconds. */
const checkedGroups = 5;

/** @param toGrant what lets the account list them, in the vendor's words */
export async function checkGroups(
  groups: AsyncIterable<GroupMembers>,
  toGrant: string,
): Promise<{ check: CapabilityCheck; accounts: Account[] }> {
  const accounts: Account[] = [];
  let count = 0;
  try {
    for await (const { members } of groups) {
      accounts.push(...members);
      count += 1;
      if (count >= checkedGroups) break;
    }
    return {
      check: { capability: "groups", status: "ok", message: "Groups and their members can be read." },
      accounts,
    };
  } catch (error) {
    if (!isAboutWhatWasAsked(error) && !(isAnnealError(error) && error.code === "SOURCE_FORBIDDEN")) throw error;
    const message = `Groups and their members cannot be read, so nobody would see anything. ${toGrant}`;
    return { check: { capability: "groups", status: "missing", message }, accounts };
  }
}

/** Addresses are how accounts and people of the portal find each other. */
export function checkEmails(accounts: readonly Account[]): CapabilityCheck {
  const known = new Set(accounts.map(({ principal }) => principal.id)).size;
  const withEmail = new Set(accounts.filter(({ email }) => email !== null).map(({ principal }) => principal.id)).size;
  if (known > 0 && withEmail === known) {
    return { capability: "addresses", status: "ok", message: "The accounts' e-mail addresses are visible." };
  }
  return {
    capability: "addresses",
    status: "warning",
    message: `${withEmail} of the ${known} accounts looked at show their e-mail address; the others see nothing here. They can show it to the organization (id.atlassian.com, Profile and visibility, Contact), or an organization's administrator can by claiming the domain and managing the accounts.`,
  };
}
