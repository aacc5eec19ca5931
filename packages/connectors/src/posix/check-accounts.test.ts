import { aclFingerprint, nobody, type Acl } from "@anneal/core/access/acl";
import { expect, it } from "vitest";
import { z } from "zod";
import { parseAccounts } from "./accounts.ts";
import { posixPrincipals } from "./audience.ts";
import { checkAccounts } from "./check-accounts.ts";
import { posixPermissionsShape } from "./config.ts";

const principals = posixPrincipals("sftp", "files.example.com");
const schema = z.object(posixPermissionsShape(""));
const settings = { permissions: "posix", userEmailDomain: "example.com" };
const [system, people] = ["root:x:0:0::/root:/bin/sh\nwww-data:x:33:33:::", "ann:x:1001:1001:::\nbob:x:1002:1002:::"];
const group = "finance:x:2000:ann\nwww-data:x:33:";

function check(passwd: string, files: Acl[] = [], given: Record<string, unknown> = {}) {
  const config = schema.parse({ ...settings, ...given });
  const accounts = { ...parseAccounts(passwd, group), areGroupsWhole: true };
  return checkAccounts(accounts, config, principals, files);
}
const only = (...allow: Acl["allow"]): Acl => ({ allow, deny: [] });

it("says how many of the accounts are people", () => {
  expect(check(`${system}\n${people}\nnobody:x:65534:65534:::`)).toMatchObject({
    status: "ok",
    message: expect.stringContaining(
      '"/etc/passwd" lists 5 accounts, 2 of which are people, and "/etc/group" 2 groups',
    ),
  });
});

it("does not pass where all accounts are the system's, and says below which id they are", () => {
  expect(check(system)).toMatchObject({
    status: "warning",
    message: expect.stringMatching(/none of which is a person.*below 1000.*nobody would see a document/),
    action: expect.stringMatching(/UID_MIN.*First id of a person/),
  });
  expect(check("ann:x:501:20:::", [], { firstPersonId: 501 })).toMatchObject({
    status: "ok",
    message: expect.stringContaining("1 account, which is a person's,"),
  });
});

it("does not pass where nobody among the people may read one of the files that were met", () => {
  const passwd = `${system}\n${people}`;
  const ofSystem = only(principals.user(33), principals.group(33), principals.group(777));
  const denied: Acl = { allow: [principals.group(2000)], deny: [principals.user(1001)] };
  expect(check(passwd, [ofSystem, ofSystem, denied, nobody])).toMatchObject({
    status: "warning",
    message: expect.stringContaining("None of the first 4 files is for any of these people"),
    action: expect.stringContaining("every folder above"),
  });
  for (const acl of [only(principals.group(2000)), only(principals.user(1002)), only(principals.others)]) {
    expect(check(passwd, [acl]).status, aclFingerprint(acl)).toBe("ok");
  }
  const some = check(passwd, [ofSystem, only(principals.others)]);
  expect(some).toMatchObject({ status: "ok", message: expect.stringContaining("1 of the first 2 files") });
});
