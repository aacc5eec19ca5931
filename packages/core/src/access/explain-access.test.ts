import fc from "fast-check";
import { expect, it } from "vitest";
import { mayRead, principalKey, type Principal } from "./acl.ts";
import { explainAccess, explainingPrincipals } from "./explain-access.ts";

const at = (kind: Principal["kind"], id: string): Principal => ({ source: "sharepoint", tenant: "t1", kind, id });
const account = { group: at("user", "u1"), name: "Ann Lee", throughKey: null };
const clerks = { group: at("group", "g1"), name: "Clerks", throughKey: principalKey(account.group) };
const finance = { group: at("group", "g2"), name: "Finance", throughKey: principalKey(clerks.group) };
const memberships = [account, clerks, finance];

it("tells the way from the group that admits to the account", () => {
  const acl = { allow: [at("group", "g9"), finance.group], deny: [] };
  expect(explainAccess(acl, [], memberships, null)).toEqual({
    readable: true,
    by: finance.group,
    path: ["Finance", "Clerks", "Ann Lee"],
    inheritedFrom: null,
    closedBy: null,
  });
});

it("names the denial before anything that allows", () => {
  const acl = { allow: [account.group], deny: [clerks.group] };
  expect(explainAccess(acl, [], memberships, null)).toEqual({
    readable: false,
    by: clerks.group,
    path: ["Clerks", "Ann Lee"],
    inheritedFrom: null,
    closedBy: null,
  });
});

it("names the container that the deciding entry comes from, and no other's", () => {
  const acl = { allow: [finance.group, account.group], deny: [clerks.group] };
  const key = principalKey(finance.group);
  const origins = { allow: { [key]: "/Reports" }, deny: { [principalKey(clerks.group)]: "/" } };
  expect(explainAccess(acl, [], memberships, origins)).toMatchObject({ readable: false, inheritedFrom: "/" });
  expect(explainAccess({ ...acl, deny: [] }, [], memberships, origins)).toMatchObject({ inheritedFrom: "/Reports" });
  expect(explainAccess({ allow: [account.group], deny: [] }, [], memberships, origins).inheritedFrom).toBeNull();
});

it("says nothing admits where nothing does, a same-named group of another tenant included", () => {
  const acl = { allow: [{ ...finance.group, tenant: "t2" }], deny: [] };
  expect(explainAccess(acl, [], memberships, null)).toEqual({
    readable: false,
    by: null,
    path: [],
    inheritedFrom: null,
    closedBy: null,
  });
});

it("names the container that keeps out what the document itself would admit, and the innermost that does", () => {
  const others = { group: at("group", "others"), name: "everyone with an account", throughKey: clerks.throughKey };
  const closed = [
    { container: "/Reports", to: [others.group] },
    { container: "/Reports/2027", to: [finance.group] },
    { container: "/Reports/2027/Board", to: [at("group", "g9")] },
  ];
  const origins = { allow: {}, deny: {}, closed };
  const acl = { allow: [at("group", "board")], deny: [] };
  expect(explainAccess(acl, [], [account, others], origins)).toEqual({
    readable: false,
    by: others.group,
    path: ["everyone with an account", "Ann Lee"],
    inheritedFrom: null,
    closedBy: "/Reports",
  });
  expect(explainAccess(acl, [], [...memberships, others], origins)).toMatchObject({
    by: finance.group,
    closedBy: "/Reports/2027",
  });
  expect(explainAccess({ allow: [account.group], deny: [] }, [], [account, others], origins)).toMatchObject({
    readable: true,
    by: account.group,
    closedBy: null,
  });
  const denied = { allow: [], deny: [account.group] };
  expect(explainAccess(denied, [], [account, others], origins)).toMatchObject({ by: account.group, closedBy: null });
});

it("can be about whom the document admits or refuses and whom a container keeps out, and about nobody else", () => {
  const acl = { allow: [account.group], deny: [clerks.group] };
  const origins = { allow: {}, deny: {}, closed: [{ container: "/Reports", to: [finance.group] }] };
  expect(explainingPrincipals(acl, origins)).toEqual([account.group, clerks.group, finance.group]);
  expect(explainingPrincipals(acl, null)).toEqual([account.group, clerks.group]);
});

it("ends at groups that contain each other", () => {
  const left = { group: at("group", "l"), name: "Left", throughKey: principalKey(at("group", "r")) };
  const right = { group: at("group", "r"), name: "Right", throughKey: principalKey(at("group", "l")) };
  expect(explainAccess({ allow: [left.group], deny: [] }, [], [left, right], null).path).toEqual(["Left", "Right"]);
});

it("decides as mayRead does, whatever the ACL", () => {
  const plain = { noNullPrototype: true } as const;
  const principals = fc.constantFrom(account.group, clerks.group, finance.group, at("group", "g9"), at("user", "u2"));
  const acls = fc.record({ allow: fc.array(principals), deny: fc.array(principals, { maxLength: 2 }) }, plain);
  const keys = new Set(memberships.map(({ group }) => principalKey(group)));
  fc.assert(
    fc.property(acls, (acl) => {
      expect(explainAccess(acl, [], memberships, null).readable).toBe(mayRead(acl, keys));
    }),
  );
});
