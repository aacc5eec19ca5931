import { expect, it } from "vitest";
import { leaveOut, wordLeftOut, type LeftOut } from "./left-out.ts";

it("counts what was left out by why, and says it in a line", () => {
  const leftOut: LeftOut = {};
  expect(wordLeftOut(leftOut)).toBeNull();
  leaveOut(leftOut, "pipe");
  expect(wordLeftOut(leftOut)).toBe("1 left out: 1 pipe");
  for (let link = 0; link < 1_200; link += 1) leaveOut(leftOut, "link");
  leaveOut(leftOut, "device");
  expect(wordLeftOut(leftOut)).toBe("1,202 left out: 1,200 symbolic links, 1 pipe, 1 device");
});

it("says of a website's addresses why they hold no document", () => {
  expect(wordLeftOut({ robots: 2, missing: 1, elsewhere: 1, copy: 3 })).toBe(
    "7 left out: 2 forbidden by robots.txt, 1 not found, 1 redirect to another site, 3 copies of other pages",
  );
});

it("names the settings that keep something out, and says where there is more than was counted", () => {
  expect(wordLeftOut({ excluded: 12, link: 1 })).toBe(
    "13 left out: 1 symbolic link, 12 kept out by Include or Exclude",
  );
  expect(wordLeftOut({ excluded: 50_000, orMore: 1 })).toBe(
    "50,000 or more left out: 50,000 kept out by Include or Exclude",
  );
});

it("reads what a later release counts, by its word", () => {
  expect(wordLeftOut({ socket: 2, wormhole: 3 })).toBe("5 left out: 2 sockets, 3 wormhole");
});
