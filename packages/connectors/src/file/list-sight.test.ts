import { expect, it } from "vitest";
import { testContext } from "../../conformance/test-context.ts";
import { openFileCalls } from "./file-calls.ts";
import { placeOf } from "./file-systems.ts";
import { createListSight } from "./list-sight.ts";

/** A file system of every Linux that is no disk, as a mount of NFS is none. */
const place = "/proc";

const sightWith = async (hiddenAccessLists: "possible" | "none") =>
  createListSight({ hiddenAccessLists }, await openFileCalls(place, testContext()));

it("trusts what is no disk of this machine only where it is said that nothing is hidden there, and says so", async () => {
  const careful = await sightWith("possible");
  expect(careful.hidden()).toBeNull();
  // What it is mounted at is named, and nothing in it.
  expect(await careful.isWholeOfFolder(`${place}/sys/kernel`)).toBe(false);
  expect(careful.hidden()).toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining(`"${place}"`),
    action: expect.stringContaining("“Access lists that do not show”"),
  });
  const told = await sightWith("none");
  expect(await told.isWholeOfFolder(place)).toBe(true);
  expect(await told.isWholeOfFile(`${place}/version`, 1n)).toBe(true);
  expect(told.hidden()).toBeNull();
});

it("takes a file that is gone for no word on what else lies on its device", async () => {
  const sight = await sightWith("none");
  expect(await sight.isWholeOfFile(`${place}/gone`, 1n)).toBe(false);
  expect(await sight.isWholeOfFile(`${place}/version`, 1n)).toBe(true);
  expect(sight.hidden()).toBeNull();
});

it("tells disks of this machine from SMB and from other mounts", () => {
  expect([0xef53, 0x0102_1994].map(placeOf)).toEqual(["local", "local"]);
  expect([0xff53_4d42, 0xfe53_4d42].map(placeOf)).toEqual(["smb", "smb"]);
  // NFS, FUSE
  expect([0x6969, 0x6573_5546].map(placeOf)).toEqual(["mounted", "mounted"]);
});
