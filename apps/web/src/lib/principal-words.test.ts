import { anyone, workspaceMembers, workspaceUser, type Principal } from "@anneal/core/access/acl";
import { expect, it } from "vitest";
import { describePrincipal } from "./principal-words.ts";

const principal = (source: string, kind: Principal["kind"], id: string): Principal => ({
  source,
  tenant: "t",
  kind,
  id,
});
const guid = "6e7b768e-07e2-4810-8459-485f84f8f204";

it.each([
  [principal("smb", "user", "S-1-5-21-397955417-626881126-188441444-1105"), "An account"],
  [principal("smb", "group", "S-1-5-21-397955417-626881126-188441444-512"), "An account or group"],
  [principal("sharepoint", "user", guid), "An account"],
  [principal("sharepoint", "group", `${guid}/owners`), "A group"],
  [principal("sharepoint", "group", "site/contoso.sharepoint.com/7"), "A group"],
  [principal("sharepoint", "domain", guid), "Everyone in an organization"],
  [principal("confluence", "user", `557058:${guid}`), "An account"],
  [principal("confluence", "user", "5b10ac8d82e05b22cc7d4ef5"), "An account"],
  [principal("slack", "group", "C024BE91L"), "A group"],
  [principal("sftp", "group", "1001"), "A group"],
  [workspaceUser("w", guid), "A member of this workspace"],
])("has a plain word for an id that tells nobody anything: %o", (unnamed, word) => {
  expect(describePrincipal(unnamed)).toBe(word);
  expect(describePrincipal(unnamed, "Ann Lee")).toBe("Ann Lee");
});

it.each([
  [principal("gdrive", "user", "ann@example.com"), "ann@example.com"],
  [principal("gdrive", "domain", "example.com"), "example.com"],
  [principal("confluence", "group", "confluence-users"), "confluence-users"],
  [principal("rest", "group", "finance 2026"), "finance 2026"],
  [workspaceMembers("w"), "Everyone in this workspace"],
  [anyone, "Everyone"],
])("leaves what people can read as it is: %o", (named, word) => {
  expect(describePrincipal(named)).toBe(word);
});
