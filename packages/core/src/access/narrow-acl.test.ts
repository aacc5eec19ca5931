import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mayRead, nobody, principalKey, type Acl, type Principal } from "./acl.ts";
import { admitsMore, narrowAcl } from "./narrow-acl.ts";

const group = (id: string): Principal => ({ source: "smb", tenant: "files", kind: "group", id });
const [staff, board, guests] = [group("staff"), group("board"), group("guests")];
const acl = (allow: Principal[], deny: Principal[] = []): Acl => ({ allow, deny });

describe("what two ACLs have in common", () => {
  it("admits whom both admit and denies whom either denies", () => {
    expect(narrowAcl(acl([staff, board], [guests]), acl([board, guests], [staff]))).toEqual(
      acl([board], [guests, staff]),
    );
  });

  it("admits nobody whom one of them refuses, whoever asks", () => {
    const plain = { noNullPrototype: true } as const;
    const groups = fc.constantFrom(staff, board, guests);
    const acls = fc.record({ allow: fc.array(groups), deny: fc.array(groups, { maxLength: 2 }) }, plain);
    fc.assert(
      fc.property(acls, acls, fc.array(groups), (before, after, held) => {
        const keys = new Set(held.map(principalKey));
        const narrow = narrowAcl(before, after);
        if (mayRead(narrow, keys)) expect([mayRead(before, keys), mayRead(after, keys)]).toEqual([true, true]);
        if (!admitsMore(before, after)) expect(mayRead(narrow, keys)).toBe(mayRead(after, keys));
      }),
    );
  });

  it.each([
    ["a grant", acl([staff]), acl([staff, board]), true],
    ["another grant", acl([staff]), acl([board]), true],
    ["a denial that is lifted", acl([staff], [board]), acl([staff]), true],
    ["a revocation", acl([staff, board]), acl([board]), false],
    ["a denial", acl([staff]), acl([staff], [board]), false],
    ["another order", acl([staff, board]), acl([board, staff]), false],
    ["nobody", acl([staff]), nobody, false],
  ])("is told from it: %s", (_, before, after, more) => {
    expect(admitsMore(before, after)).toBe(more);
  });
});
