import { afterEach, expect, it } from "vitest";
import { createDriveHarness, sharedDriveId, type DriveHarness } from "../../conformance/fake-google/drive-harness.ts";
import type { FakePermission } from "../../conformance/fake-google/fake-drive.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { gdriveConnector } from "./gdrive-connector.ts";

let harness: DriveHarness;
afterEach(() => harness.close());

const reader = (name: string): FakePermission => ({
  type: "user",
  role: "reader",
  emailAddress: `${name}@corp.example`,
});
const context = testContext();

async function sync(target: MemoryTarget): Promise<MemoryTarget> {
  const { config, secrets } = harness;
  await target.apply(
    gdriveConnector.read({
      config,
      secrets,
      cursor: target.cursor,
      journal: target.journal(),
      known: target.known(),
      context,
    }),
  );
  return target;
}
const originsOf = (target: MemoryTarget, name: string) =>
  Object.fromEntries(
    target.documents
      .get(harness.refOf(name))!
      .item.acl!.allow.map(({ id, inheritedFrom = "itself" }) => [id.split("@")[0], inheritedFrom]),
  );

it("a document of a shared drive says through which folder each of its readers has it, and follows a move", async () => {
  harness = await createDriveHarness("shared-drive");
  const { google, put, root } = harness;
  const { drive } = google;
  drive.setDrivePermissions(sharedDriveId, [reader("ann")]);
  for (const name of ["reports/2026/a.md", "reports/b.md", "c.md", "plans/d.md"]) await put(name, name);
  drive.update(drive.find(root, "reports")!.id, { permissions: [reader("bob")] });
  drive.update(drive.find(root, "reports/b.md")!.id, { permissions: [reader("eve")] });
  const target = await sync(new MemoryTarget());
  const drives = { ann: "/Projects" };
  expect(originsOf(target, "reports/2026/a.md")).toEqual({ ...drives, bob: "/Projects/reports" });
  expect(originsOf(target, "reports/b.md")).toEqual({ ...drives, bob: "/Projects/reports", eve: "itself" });
  expect(originsOf(target, "c.md")).toEqual(drives);

  drive.update(drive.find(root, "plans")!.id, { permissions: [reader("bob")] });
  drive.update(drive.find(root, "reports/b.md")!.id, { parentId: drive.find(root, "plans")!.id, permissions: [] });
  target.opened.length = 0;
  await sync(target);
  expect(originsOf(target, "plans/b.md")).toEqual({ ...drives, bob: "/Projects/plans" });
  expect(target.opened).toEqual([]);
});
