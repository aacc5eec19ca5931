import type { Principal } from "@anneal/core/access/acl";

/** Windows' SIDs, GUIDs alone or within something, numbers, and what services make of letters and digits. */
const opaqueId =
  /^S-1-\d|[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}|^\d+$|^[\da-f]{12,}$|^(?=[A-Z]*\d)[A-Z\d]{8,}$|^site\//i;

/** Whether a person can tell from the id alone who is meant: an address, a domain, a group's name. */
export function isReadableId(id: string): boolean {
  return !opaqueId.test(id);
}

/** @param name as the workspace's directory has it, for whoever may know it */
export function describePrincipal({ source, kind, id }: Principal, name?: string): string {
  if (kind === "public") return "Everyone";
  if (source === "anneal" && kind === "domain") return "Everyone in this workspace";
  if (name !== undefined) return name;
  return isReadableId(id) ? id : unnamed({ source, kind, id });
}

function unnamed({ source, kind, id }: Pick<Principal, "source" | "kind" | "id">): string {
  if (source === "anneal") return "A member of this workspace";
  if (kind === "domain") return "Everyone in an organization";
  if (kind === "user") return "An account";
  // A list of Windows does not say what its SIDs are.
  return /^S-1-/i.test(id) ? "An account or group" : "A group";
}
