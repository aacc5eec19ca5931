import { isAnnealError } from "@anneal/core/errors";
import type { CapabilityCheck } from "../connector.ts";
import { isAboutWhatWasAsked, NotTold } from "./atlassian-site.ts";
import type { Deployment } from "./config.ts";
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
    const { message, action } =
      error instanceof NotTold
        ? error
        : { message: "Groups and their members cannot be read, so nobody would see anything.", action: toGrant };
    return { check: { capability: "groups", status: "missing", message, action }, accounts };
  }
}

const toShowAddresses: Record<Deployment, string> = {
  cloud:
    "They can show it to the organization (id.atlassian.com, Profile and visibility, Contact), or an organization's administrator can by claiming the domain and managing the accounts.",
  "data-center":
    "Set the user e-mail visibility so that administrators see addresses unmasked, and enter the addresses in the user directory.",
};
const shownAddresses: Record<Deployment, string> = {
  cloud: "The accounts' e-mail addresses are visible.",
  "data-center":
    "The accounts' e-mail addresses are visible. They are worth as much as the user directory: in an internal one people may change their own.",
};

/** Addresses are how accounts and people of the portal find each other. */
export function checkEmails(accounts: readonly Account[], deployment: Deployment): CapabilityCheck {
  const known = new Set(accounts.map(({ principal }) => principal.id)).size;
  const withEmail = new Set(accounts.filter(({ email }) => email !== null).map(({ principal }) => principal.id)).size;
  if (known > 0 && withEmail === known) {
    return { capability: "addresses", status: "ok", message: shownAddresses[deployment] };
  }
  return {
    capability: "addresses",
    status: "warning",
    message: `${withEmail} of the ${known} accounts looked at show their e-mail address; the others see nothing here. ${toShowAddresses[deployment]}`,
  };
}
