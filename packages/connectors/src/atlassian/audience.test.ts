import { anyone, type Principal } from "@anneal/core/access/acl";
import { describe, expect, it } from "vitest";
import { intersectLevels } from "./audience.ts";

const identity = { source: "confluence", tenant: "acme.example" };
const user = (id: string): Principal => ({ ...identity, kind: "user", id });
const group = (id: string): Principal => ({ ...identity, kind: "group", id });

describe("intersectLevels", () => {
  it("takes one level as it is", () => {
    const level = [group("staff"), user("ann")];
    expect(intersectLevels([level], identity)).toEqual({ acl: { allow: level, deny: [] }, intersections: [] });
  });

  it("admits nobody where a level names nobody, or where there is no level", () => {
    expect(intersectLevels([[group("staff")], []], identity).acl.allow).toEqual([]);
    expect(intersectLevels([], identity).acl.allow).toEqual([]);
    expect(intersectLevels([[anyone], []], identity).acl.allow).toEqual([]);
  });

  it("lets a level that everybody passes demand nothing", () => {
    expect(intersectLevels([[anyone], [user("ann")]], identity).acl.allow).toEqual([user("ann")]);
    expect(intersectLevels([[anyone, group("staff")]], identity).acl.allow).toEqual([anyone]);
  });

  it("keeps the narrower of two levels when it is part of the other", () => {
    const audience = intersectLevels([[group("staff"), user("ann")], [user("ann")], [user("ann")]], identity);
    expect(audience).toEqual({ acl: { allow: [user("ann")], deny: [] }, intersections: [] });
  });

  it("tells where what stays was given, and for a common group only where none of it was given on the document", () => {
    const at = (inheritedFrom: string, ...names: Principal[]) => names.map((name) => ({ ...name, inheritedFrom }));
    const space = at("Finance", group("staff"), user("ann"));
    expect(intersectLevels([space], identity).acl.allow).toEqual(space);
    expect(intersectLevels([space, at("Plans", user("ann"))], identity).acl.allow).toEqual(at("Plans", user("ann")));
    expect(intersectLevels([space, [user("ann")]], identity).acl.allow).toEqual([user("ann")]);
    const [above] = intersectLevels([space, at("Plans", group("board"))], identity).acl.allow;
    expect(above).toMatchObject({ kind: "group", inheritedFrom: "Finance and Plans" });
    const [own] = intersectLevels([space, [group("board")]], identity).acl.allow;
    expect(own).toEqual({ ...above, inheritedFrom: undefined });
  });

  it("makes a group of what two levels have in common, the same one in whatever order they come", () => {
    const one = intersectLevels([[group("staff")], [group("finance"), user("ann")]], identity);
    const other = intersectLevels([[user("ann"), group("finance")], [group("staff")], [group("staff")]], identity);
    expect(one.acl.allow).toHaveLength(1);
    expect(one.acl.allow[0]).toMatchObject({ kind: "group", id: expect.stringMatching(/^intersection:/) });
    expect(other.acl).toEqual(one.acl);
    expect(intersectLevels([[group("staff")], [group("finance")]], identity).acl).not.toEqual(one.acl);
  });
});
