import { describe, expect, it } from "vitest";
import { z } from "zod";
import { parseAccounts, posixDirectory, readAccounts } from "./accounts.ts";
import { posixPrincipals } from "./audience.ts";
import { posixPermissionsShape } from "./config.ts";

const posixConfigSchema = z.object(posixPermissionsShape(""));
const principals = posixPrincipals("sftp", "files.example.com");
const passwd = [
  "root:x:0:0:root:/root:/bin/bash",
  "postgres:x:112:120::/var/lib/postgresql:/bin/bash",
  "ann:x:1001:1001:Ann,,,:/home/ann:/bin/bash",
  "annie:x:1001:1001::/home/ann:/bin/bash",
  "bob:x:1002:100::/home/bob:/bin/bash",
  "+nis::::::",
  "# a comment",
  "broken:x:1003",
  "",
].join("\n");
const group = ["users:x:100:", "finance:x:2000:ann,ghost", "more-finance:x:2000:bob", ""].join("\n");

const settings = (userEmailDomain: string | null, firstPersonId = 1000) => ({ userEmailDomain, firstPersonId });
const entries = (domain: string | null) => [
  ...posixDirectory(parseAccounts(passwd, group), principals, settings(domain)),
];

describe("posixDirectory", () => {
  it("gives addresses to people's accounts alone, and only with a domain", () => {
    const emails = (domain: string | null) =>
      entries(domain).flatMap((entry) => (entry.type === "user" ? entry.emails : []));
    expect(emails("example.com")).toEqual(["ann@example.com", "annie@example.com", "bob@example.com"]);
    expect(emails(null)).toEqual([]);
  });

  it("names the system's accounts as such, which are nobody", () => {
    const names = (domain: string | null, firstPersonId = 1000) =>
      [...posixDirectory(parseAccounts(passwd, group), principals, settings(domain, firstPersonId))].flatMap((entry) =>
        entry.type === "user" ? [entry.name] : [],
      );
    const system = (name: string) => `${name}, a system account: nobody`;
    expect(names("example.com")).toEqual([system("root"), system("postgres"), "ann", "bob"]);
    expect(names(null)).toEqual([system("root"), system("postgres"), "ann", "bob"]);
    expect(names("example.com", 100)).toEqual([system("root"), "postgres", "ann", "bob"]);
  });

  it("gives none to the account that stands for whoever has no name", () => {
    const accounts = parseAccounts("nobody:x:65534:65534::/nonexistent:/sbin/nologin\nzoe:x:65533:1:::", "");
    const users = [...posixDirectory(accounts, principals, settings("example.com"))].flatMap((entry) =>
      entry.type === "user" ? [[entry.name, entry.emails]] : [],
    );
    expect(users).toEqual([
      ["nobody", []],
      ["zoe", ["zoe@example.com"]],
    ]);
  });

  it("joins what shares an id, and counts the primary group", () => {
    const members = Object.fromEntries(
      entries(null).flatMap((entry) =>
        entry.type === "group" ? [[entry.principal.id, entry.members.map(({ id }) => id).sort()]] : [],
      ),
    );
    expect(members).toEqual({
      "0": ["0"],
      "100": ["1002"],
      "120": ["112"],
      "1001": ["1001"],
      "2000": ["1001", "1002"],
      others: ["0", "1001", "1002", "112"],
    });
  });
});

describe("readAccounts", () => {
  const wholeWith = async (nameServices: string | null, groupPath = "/etc/group") => {
    const files = new Map([
      ["/etc/passwd", passwd],
      [groupPath, group],
      ...(nameServices === null ? [] : [["/etc/nsswitch.conf", nameServices] as const]),
    ]);
    const readText = async (path: string) => files.get(path) ?? Promise.reject(new Error("no such file"));
    const config = posixConfigSchema.parse({ permissions: "posix", groupPath });
    const { groups, areGroupsWhole } = await readAccounts(config, readText);
    expect(groups).toHaveLength(3);
    return areGroupsWhole;
  };

  it("takes the system's groups for whole where its name services are its files alone", async () => {
    expect(await wholeWith("passwd: files ldap\ngroup: files\n")).toBe(true);
    expect(await wholeWith("group:\t files [SUCCESS=merge] systemd # ldap\n")).toBe(true);
  });

  it.each([
    ["a directory adds members", "group: files ldap"],
    ["one is merged into them", "group: files [SUCCESS=merge] sss"],
    ["one is asked when somebody signs in", "group: files\ninitgroups: files [SUCCESS=continue] winbind"],
    ["the file takes in NIS", "group: compat"],
    ["nothing says whose they are", "passwd: files"],
    ["the name services do not show", null],
  ])("does not where %s", async (_, nameServices) => {
    expect(await wholeWith(nameServices)).toBe(false);
  });

  it("takes a list that was made for the source at its word", async () => {
    expect(await wholeWith("group: files ldap", "/srv/lists/group")).toBe(true);
  });
});
