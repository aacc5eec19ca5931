import { describe, expect, it } from "vitest";
import { UidSet } from "./uid-set.ts";

describe("a set of UIDs", () => {
  it("is the same whether it came as numbers or as ranges, in any order and overlapping", () => {
    const uids = [1, 2, 3, 7, 9, 10];
    expect([...UidSet.of(uids).from(1)]).toEqual(uids);
    expect([...UidSet.parse("9:10,7,3:1,2:3")!.from(1)]).toEqual(uids);
    expect(UidSet.parse("9:10,7,3:1,2:3")!.size).toBe(6);
  });

  it("knows which UIDs it holds, at the edges of its ranges too", () => {
    const set = UidSet.parse("3:5,9")!;
    const held = Array.from({ length: 12 }, (_, uid) => uid).filter((uid) => set.has(uid));
    expect(held).toEqual([3, 4, 5, 9]);
    expect(set.max).toBe(9);
  });

  it("is cut below a UID and walked from one", () => {
    const set = UidSet.parse("1:5,8:9")!;
    expect([...set.below(4).from(2)]).toEqual([2, 3]);
    expect([...set.below(9).from(5)]).toEqual([5, 8]);
    expect(set.below(1).size).toBe(0);
  });

  it("holds a mailbox of a million messages as one range", () => {
    const set = UidSet.parse("1:1000000")!;
    expect(set.size).toBe(1_000_000);
    expect(set.has(1_000_000)).toBe(true);
    expect(set.has(1_000_001)).toBe(false);
  });

  it("refuses what no server may send, instead of taking it for an empty mailbox", () => {
    for (const text of ["*", "1:*", "0", "1,,2", "a", "1:2:3", "99999999999", " "])
      expect(UidSet.parse(text)).toBeNull();
    expect(UidSet.parse("")?.size).toBe(0);
  });
});
