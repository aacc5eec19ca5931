import { expect, it } from "vitest";
import { mayRead, principalKey, type Principal } from "./acl.ts";

const group = (id: string): Principal => ({ source: "rest", tenant: "t", kind: "group", id });

it("a name that was cut off within a character has a key of its own, and is no other name", () => {
  const [cut, other] = [group("Finance \ud83d"), group("Finance \ud83c")];
  const names = [cut, other, group("Finance \ufffd"), group("Finance %ud83d"), group("Finance 😀")];
  expect(new Set(names.map(principalKey)).size).toBe(names.length);
  expect(principalKey(group("Zoë 😀:a/b"))).toBe(`rest:t:group:${encodeURIComponent("Zoë 😀:a/b")}`);
  expect(mayRead({ allow: [cut], deny: [] }, new Set([principalKey(other)]))).toBe(false);
});
