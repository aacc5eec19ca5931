import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import { withFailures, withFreeSpace } from "./error-map.ts";

const failing = (error: unknown) => withFailures({ write: async () => Promise.reject(error) }).write();

it.each([
  ["a folder", Object.assign(new Error("write"), { code: "ENOSPC" })],
  ["PostgreSQL", new Error("Failed query", { cause: Object.assign(new Error("extend"), { code: "53100" }) })],
])("ends a stage in one sentence, without retries, when the disk of %s is full", async (_, error) => {
  await expect(failing(error)).rejects.toMatchObject({
    type: "DISK_FULL",
    nonRetryable: true,
    details: [{ code: "DISK_FULL", action: expect.stringContaining("Free some space") }],
  });
});

it("leaves what nobody foresaw as it is, for Temporal to try again", async () => {
  const bug = new Error("bug");
  await expect(failing(bug)).rejects.toBe(bug);
});

it("begins nothing while the disk has too little left", async () => {
  let begun = false;
  const full = new AnnealError("DISK_FULL", "The disk is nearly full.", { action: "Free some space." });
  const activities = withFreeSpace({ read: async () => void (begun = true) }, () => Promise.reject(full));
  await expect(activities.read()).rejects.toBe(full);
  expect(begun).toBe(false);
});
