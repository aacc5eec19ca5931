import type { CapabilityCheck, CheckResult } from "../connector.ts";
import { failedCheck } from "../failure.ts";
import type { Graph } from "./graph-client.ts";
import { groupPageSchema, memberPageSchema, userPageSchema } from "./graph-schemas.ts";
import { isRefused, readVerifiedDomains, tellsWhoIsEnabled, userQuery } from "./read-directory.ts";

const capability = "people";

/** Whether the tenant's people and groups can be read; with delegated permission, how many of them. */
export async function checkPeople(graph: Graph): Promise<CheckResult> {
  try {
    const account = await graph.account();
    await readVerifiedDomains(graph);
    if (account !== null) return { checks: [await describeSeen(graph)], summary: "", error: null };
    const tellsEnabled = await probeUsers(graph);
    await probeGroups(graph);
    if (!tellsEnabled) return { checks: [unknownEnabled], summary: "", error: null };
    const message = "The tenant's users and groups can be read.";
    return { checks: [{ capability, status: "ok", message }], summary: "", error: null };
  } catch (error) {
    return failedCheck(capability, error);
  }
}

const unknownEnabled: CapabilityCheck = {
  capability,
  status: "warning",
  message:
    "Which accounts are disabled is unknown (User.Read.All), so that what is shared with people is shown to nobody.",
  action: "Grant the application permission User.Read.All on Microsoft Graph, with an administrator's consent.",
};

/** @returns whether what reading people asks for is answered: who there is, and who of them is disabled */
async function probeUsers(graph: Graph): Promise<boolean> {
  for await (const users of graph.pages("users", userPageSchema, { query: userQuery })) return tellsWhoIsEnabled(users);
  return false;
}

/** One request of each kind that reading groups makes. */
async function probeGroups(graph: Graph): Promise<true> {
  for await (const [group] of graph.pages("groups", groupPageSchema, { query: { $select: "id", $top: 1 } })) {
    if (group !== undefined) await graph.json(`groups/${encodeURIComponent(group.id)}/members`, memberPageSchema);
    break;
  }
  return true;
}

async function describeSeen(graph: Graph): Promise<CapabilityCheck> {
  const [users, groups] = await Promise.all([isAllowed(() => probeUsers(graph)), isAllowed(() => probeGroups(graph))]);
  const unknown = [
    ...(users ? [] : ["Other people than the account that signed in are unknown (User.Read.All)."]),
    ...(groups ? [] : ["Who is in which group is unknown (GroupMember.Read.All)."]),
  ];
  if (unknown.length === 0) return { capability, status: "ok", message: "The tenant's users and groups can be read." };
  return {
    capability,
    status: "warning",
    message: `${unknown.join(" ")} Until an administrator consents to the delegated ${unknown.length === 1 ? "permission" : "permissions"} on Microsoft Graph, what is shared with them is shown to the account that signed in alone.`,
  };
}

async function isAllowed(probe: () => Promise<boolean>): Promise<boolean> {
  try {
    return await probe();
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}
