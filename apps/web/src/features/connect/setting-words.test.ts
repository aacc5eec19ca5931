import { expect, it } from "vitest";
import { listSourceKinds } from "#server/connect/describe-kinds.ts";
import { wordSettings } from "./setting-words.ts";

const folder = listSourceKinds().find(({ kind }) => kind === "file")!.config;

it("settings read as the form that they were entered in", () => {
  const stored = {
    path: "/srv/documents",
    permissions: "posix",
    hiddenAccessLists: "none",
    userEmailDomain: null,
    firstPersonId: 1000,
    passwdPath: "/etc/passwd",
    groupPath: "/etc/group",
    include: [],
    exclude: ["*.tmp", "drafts/**"],
  };
  expect(wordSettings(stored, folder).map(({ label, text }) => [label, text])).toEqual([
    ["Folder", "/srv/documents"],
    ["File permissions", "Owner, group and rights of each file"],
    ["Access lists that do not show", "There are none"],
    ["E-mail domain of the accounts", null],
    ["First id of a person", "1000"],
    ["List of accounts", "/etc/passwd"],
    ["List of groups", "/etc/group"],
    ["Include", null],
    ["Exclude", "*.tmp\ndrafts/**"],
  ]);
  expect(wordSettings({ ...stored, permissions: "off" }, folder).map(({ name }) => name)).toEqual([
    "path",
    "permissions",
    "include",
    "exclude",
  ]);
});

it("says yes and no, names alone where only names are set, and what a form does not know as it is stored", () => {
  const schema = { properties: { open: { title: "Open", default: false }, tables: { title: "Tables" } } };
  const tables = [{ name: "faq", key: [] }, { name: "orders" }];
  expect(wordSettings({ tables, later: { a: 1 } }, schema)).toEqual([
    { name: "open", label: "Open", text: "No", isWords: true },
    { name: "tables", label: "Tables", text: "faq\norders", isWords: false },
    { name: "later", label: "later", text: '{\n  "a": 1\n}', isWords: false },
  ]);
  const chosen = { properties: { tls: { title: "TLS", default: "on", labels: { on: "Always" } } } };
  expect(wordSettings({}, chosen)[0]).toMatchObject({ text: "Always", isWords: true });
  expect(wordSettings({ tls: "of another release" }, chosen)[0]).toMatchObject({
    text: "of another release",
    isWords: false,
  });
  expect(wordSettings({ path: "/a" }, null)).toEqual([{ name: "path", label: "path", text: "/a", isWords: false }]);
});
