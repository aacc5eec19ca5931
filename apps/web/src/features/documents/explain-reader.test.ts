import { workspaceMembers, workspaceUser, type Principal } from "@anneal/core/access/acl";
import { expect, it } from "vitest";
import { explainReader, explainRefusal } from "./explain-reader.ts";

const finance: Principal = { source: "smb", tenant: "files", kind: "group", id: "S-1-5-21" };
const admitted = {
  readable: true,
  by: finance,
  path: ["Finance", "Clerks", "Ann Lee"],
  inheritedFrom: null,
  closedBy: null,
};

it.each([
  [admitted, "Admitted through Finance, which holds Clerks, as Ann Lee."],
  [
    { ...admitted, path: ["Finance", "Ann Lee"], inheritedFrom: "/Reports" },
    "Admitted through Finance, as Ann Lee, inherited from /Reports.",
  ],
  [
    { ...admitted, readable: false, path: ["Ann Lee"], inheritedFrom: "/" },
    "Denied by name, as Ann Lee, inherited from /.",
  ],
  [{ ...admitted, by: workspaceMembers("w"), path: [] }, "Admitted as everyone in this workspace."],
  [{ ...admitted, by: workspaceUser("w", "6e7b768e-07e2-4810-8459-485f84f8f204"), path: [] }, "Admitted by name."],
  [
    { ...admitted, readable: false, path: ["everyone with an account", "Ann Lee"], closedBy: "/srv/Reports" },
    "Would be admitted through everyone with an account, as Ann Lee, but /srv/Reports does not let that through.",
  ],
  [
    { ...admitted, readable: false, path: ["Ann Lee"], closedBy: "/" },
    "Would be admitted by name, as Ann Lee, but / does not let that through.",
  ],
  [{ readable: false, by: null, path: [], inheritedFrom: null, closedBy: null }, "Nothing admits them."],
])("tells in a sentence why somebody may read, or may not: %#", (explanation, sentence) => {
  expect(explainReader(explanation)).toBe(sentence);
});

const refused = { ...admitted, readable: false };
it.each([
  [
    { ...refused, inheritedFrom: "/Reports" },
    "You may not: denied through Finance, which holds Clerks, as Ann Lee, inherited from /Reports.",
  ],
  [
    { ...refused, path: ["Ann Lee"], closedBy: "/" },
    "You may not: would be admitted by name, as Ann Lee, but / does not let that through.",
  ],
  [{ ...refused, by: null, path: [] }, "You may not: nothing admits you."],
])("tells oneself whether one is denied, and by what, or not admitted by anything: %#", (explanation, sentence) => {
  expect(explainRefusal(explanation)).toBe(sentence);
});
