import { describe, expect, it } from "vitest";
import { parseAccounts, posixDirectory } from "./accounts.ts";
import { posixPrincipals } from "./audience.ts";

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

const entries = (domain: string | null) => [...posixDirectory(parseAccounts(passwd, group), principals, domain)];

describe("posixDirectory", () => {
  it("gives addresses to people's accounts alone, and only with a domain", () => {
    const emails = (domain: string | null) =>
      entries(domain).flatMap((entry) => (entry.type === "user" ? entry.emails : []));
    expect(emails("example.com")).toEqual(["ann@example.com", "annie@example.com", "bob@example.com"]);
    expect(emails(null)).toEqual([]);
  });

  it("gives none to the account that stands for whoever has no name", () => {
    const accounts = parseAccounts("nobody:x:65534:65534::/nonexistent:/sbin/nologin\nzoe:x:65533:1:::", "");
    const users = [...posixDirectory(accounts, principals, "example.com")].flatMap((entry) =>
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
