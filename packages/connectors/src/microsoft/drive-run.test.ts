import { expect, it } from "vitest";
import { checkpointOf, createDriveRun, passingOf, type DriveRun } from "./drive-run.ts";
import { parseDriveCursor } from "./drive-cursor.ts";

const settings = "settings";
const driveIds = Array.from({ length: 3 }, (_, index) => `b!${String(index).padStart(64, "x")}`);
const cursor = {
  ...parseDriveCursor(null, settings),
  drives: Object.fromEntries(
    driveIds.map((id) => [
      id,
      { phase: "changes" as const, link: "l".repeat(500), rootAcl: "r".repeat(24), retry: [], othersEndMs: null },
    ]),
  ),
};
const itemId = (index: number) => `01${String(index).padStart(32, "X")}`;

it("remembers of permissions that end by themselves the first, and when the others do, of each drive", () => {
  const run = createDriveRun({} as Pick<DriveRun, "graph" | "known" | "context" | "filter" | "linkSharing">, cursor);
  for (const [at, driveId] of driveIds.entries()) {
    const count = at === 0 ? 100 : 300;
    for (let index = 0; index < count; index += 1) passingOf(run, driveId).set(itemId(index), 5000 - index);
  }
  const checkpoint = checkpointOf(run, settings);
  if (checkpoint.type !== "checkpoint") throw new Error("There is no checkpoint.");
  const { drives } = parseDriveCursor(checkpoint.cursor, settings);
  const states = driveIds.map((id) => drives[id]!);
  expect(states[0]).toMatchObject({ retry: { length: 100 }, othersEndMs: null });
  expect(states[1]!.retry).toEqual(Array.from({ length: 200 }, (_, index) => itemId(299 - index)));
  expect(states[1]!.othersEndMs).toBe(4901);
  expect(states.at(-1)).toEqual(states[1]);
});
