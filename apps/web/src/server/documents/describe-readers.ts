import type { Acl, Principal } from "@anneal/core/access/acl";

/** Who may read, in words: "Everyone in the workspace", "2 groups, 1 person", "Nobody". */
export function describeReaders(acl: Acl): string {
  if (acl.allow.some((each) => each.kind === "public")) return "Everyone";
  if (acl.allow.some(isWorkspace))
    return acl.deny.length > 0 ? `Workspace, but ${acl.deny.length} denied` : "Workspace";
  const groups = acl.allow.filter((each) => each.kind === "group" || each.kind === "domain").length;
  const people = acl.allow.filter((each) => each.kind === "user").length;
  const parts = [
    groups && `${groups} ${groups === 1 ? "group" : "groups"}`,
    people && `${people} ${people === 1 ? "person" : "people"}`,
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : "Nobody";
}

function isWorkspace(principal: Principal): boolean {
  return principal.source === "anneal" && principal.kind === "domain";
}
