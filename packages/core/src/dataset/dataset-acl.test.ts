import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Acl, mayRead, type Principal, principalKey, workspaceMembers, workspaceUser } from "../access/acl.ts";
import { datasetAcl, mayReadEvery } from "./dataset-acl.ts";

const ann = workspaceUser("w", "ann");
const bob = workspaceUser("w", "bob");
const members = workspaceMembers("w");
const group: Principal = { source: "s3", tenant: "t", kind: "group", id: "g" };
const keysOf = (user: Principal) => new Set([principalKey(user), principalKey(members)]);

describe("datasetAcl", () => {
  it("leaves only those whom every document admits", () => {
    const acl = datasetAcl([
      { allow: [members], deny: [] },
      { allow: [ann, group], deny: [] },
    ]);
    expect(acl.allow).toEqual([ann]);
  });

  it("adds denials up, and admits nobody where one document admits nobody", () => {
    expect(
      mayRead(
        datasetAcl([
          { allow: [members], deny: [ann] },
          { allow: [members], deny: [] },
        ]),
        keysOf(ann),
      ),
    ).toBe(false);
    expect(
      datasetAcl([
        { allow: [members], deny: [] },
        { allow: [], deny: [] },
      ]).allow,
    ).toEqual([]);
    expect(datasetAcl([]).allow).toEqual([]);
  });

  it("never admits a reader whom one of the documents refuses", () => {
    const principal = fc.constantFrom(ann, bob, members, group, {
      ...group,
      kind: "public" as const,
      id: "",
    });
    const acls = fc.array(
      fc.record({
        allow: fc.array(principal, { maxLength: 3 }),
        deny: fc.array(principal, { maxLength: 1 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(acls, fc.constantFrom(keysOf(ann), keysOf(bob)), (list: Acl[], holder) => {
        if (mayRead(datasetAcl(list), holder)) expect(mayReadEvery(list, holder)).toBe(true);
      }),
    );
  });
});
