import { expect, it } from "vitest";
import { givenIn, inheritedFrom } from "./given-above.ts";
import type { AccessEntry, SecurityDescriptor } from "./security-descriptor.ts";

const readAll = 0x1f01ff;
const descriptor = (...entries: [sid: string, inherited: boolean][]): SecurityDescriptor => ({
  owner: null,
  entries: entries.map(([sid, inherited]): AccessEntry => ({
    effect: "allow",
    sid,
    mask: readAll,
    inherited,
    inheritOnly: false,
    objectInherit: true,
    conditional: false,
  })),
});
const fromOf = (sid: string, given: ReturnType<typeof givenIn>) =>
  inheritedFrom({ effect: "allow", sid, inherited: true }, null, given);

it("is one record for all folders that hand down what the one above them does", () => {
  const top = givenIn("/Reports", descriptor(["ann", false], ["bob", false]), null);
  expect(givenIn("/Reports/2027", descriptor(["bob", true], ["ann", true]), top)).toBe(top);
  const fewer = givenIn("/Reports/2027", descriptor(["bob", true]), top);
  expect(["ann", "bob"].map((sid) => fromOf(sid, fewer))).toEqual([undefined, "/Reports"]);
  const own = givenIn("/Reports/2027", descriptor(["ann", false], ["bob", true]), top);
  expect(["ann", "bob"].map((sid) => fromOf(sid, own))).toEqual(["/Reports/2027", "/Reports"]);
});
