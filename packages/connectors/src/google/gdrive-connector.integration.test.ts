import { generateKeyPairSync } from "node:crypto";
import { mayRead } from "@anneal/core/access/acl";
import { defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { afterEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import {
  archive,
  createDriveHarness,
  sharedDriveId,
  type DriveHarness,
} from "../../conformance/fake-google/drive-harness.ts";
import { fakeRootId, type FakePermission } from "../../conformance/fake-google/fake-drive.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { createTestClock, type TestClock } from "../../conformance/test-clock.ts";
import { deletionsPass, testContext } from "../../conformance/test-context.ts";
import type { GdriveConfig } from "./config.ts";
import { gdriveConnector } from "./gdrive-connector.ts";

describeConnector("gdrive, My Drive", () => createDriveHarness("my-drive"), "http");
describePermissions(
  "gdrive, My Drive",
  () => createDriveHarness("my-drive"),
  () => createDriveHarness("my-drive", {}, "branch.example"),
);
describeConnector("gdrive, shared drive", () => createDriveHarness("shared-drive"), "http");
describePermissions(
  "gdrive, shared drive",
  () => createDriveHarness("shared-drive"),
  () => createDriveHarness("shared-drive", {}, "branch.example"),
);

const contextOf = (deletions: DeletionPolicy = deletionsPass) => testContext({ deletions });

let harness: DriveHarness;
let opened: DriveHarness[] = [];
afterEach(async () => {
  for (const { close } of opened) await close();
  opened = [];
});

async function open(where: "my-drive" | "shared-drive", config: Partial<GdriveConfig> = {}): Promise<DriveHarness> {
  harness = await createDriveHarness(where, config);
  opened.push(harness);
  return harness;
}

async function sync(target: MemoryTarget, context = contextOf()): Promise<MemoryTarget> {
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

const check = () => gdriveConnector.check(harness.config, harness.secrets, contextOf());
const titlesOf = (target: MemoryTarget) => [...target.documents.values()].map(({ item }) => item.title).sort();

async function readersOf(target: MemoryTarget, ref: string, people = ["ann", "bob", "eve"]): Promise<string[]> {
  const { config, secrets } = harness;
  const directory = await MemoryDirectory.read(
    gdriveConnector.readDirectory!({ config, secrets, context: contextOf() }),
  );
  const acl = target.documents.get(ref)?.item.acl;
  return people.filter((person) => mayRead(acl, directory.heldBy(harness.emailOf(person))));
}

describe("the feed of changes", () => {
  it("is all that a second run asks for", async () => {
    const { google, put } = await open("my-drive");
    for (const name of ["a.md", "b.md", "deep/c.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    google.takeLog();
    await sync(target);
    expect(google.takeLog().filter((line) => line === "GET /drive/v3/files")).toEqual([]);
  });

  it("is no listing of all there is, as a first run is", async () => {
    const { put } = await open("my-drive");
    for (const name of ["a.md", "b.md", "deep/c.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const progress of progressOf(target)) expect(progress).toEqual({ total: 3, listsAll: true });
    await put("d.md", "d.md");
    await sync(target);
    expect(progressOf(target).length).toBeGreaterThan(0);
    for (const progress of progressOf(target)) expect(progress).toEqual({ total: null, listsAll: false });
  });

  it("follows a first run that counts once what it is asked for, also when it is killed and resumed", async () => {
    const { google, put } = await open("my-drive", { include: ["deep/**"] });
    for (const name of ["a.md", "deep/b.md", "deep/c.md", "deep/d.md"]) await put(name, name);
    const whole = await sync(new MemoryTarget());
    expect(whole.changes.at(-1)).toMatchObject({ scanned: 3, leftOut: { excluded: 1 } });
    const listings = () => google.takeLog().filter((line) => line === "GET /drive/v3/files").length;
    const counting = listings();
    expect(new Set(progressOf(whole).map(({ total }) => total))).toEqual(new Set([3]));
    const target = new MemoryTarget();
    const { config, secrets } = harness;
    const request = { config, secrets, cursor: null, known: target.known(), context: contextOf() };
    const first = whole.changes.findIndex(({ type }) => type === "checkpoint");
    await target.apply(gdriveConnector.read(request), { at: first, write: "done" });
    listings();
    await sync(target);
    expect(listings()).toBeLessThan(counting);
    expect(new Set(progressOf(target).map(({ total }) => total))).toEqual(new Set([3]));
    expect(target.held()).toEqual(whole.held());
  });

  it("follows a first run that could not count, which reads all the same", async () => {
    const { google, put } = await open("my-drive");
    for (const name of ["a.md", "b.md", "c.md"]) await put(name, name);
    google.drive.staleLists = 1;
    const target = await sync(new MemoryTarget());
    expect(google.drive.staleLists).toBe(0);
    expect(target.documents.size).toBe(3);
    expect(new Set(progressOf(target).map(({ total }) => total))).toEqual(new Set([null]));
  });

  it("that has grown too old is made up for by listing all, deletions included, without reading anything again", async () => {
    const { google, put, remove, refOf } = await open("my-drive");
    for (const name of ["a.md", "b.md", "c.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    await remove("a.md");
    google.drive.forgetFeed();
    await sync(target);
    expect(target.opened).toEqual([]);
    expect([...target.documents.keys()].sort()).toEqual([refOf("b.md"), refOf("c.md")].sort());
  });

  it("that has grown too old deletes no more than one sync may", async () => {
    const { google, put, remove } = await open("my-drive");
    for (const name of ["a.md", "b.md", "c.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    await remove("a.md");
    await remove("b.md");
    google.drive.forgetFeed();
    await sync(target, contextOf(defaultDeletionPolicy));
    expect(target.failures.map(({ error }) => error.code)).toEqual(["CONFLICT"]);
    // Nor are they forgotten: the feed will not name them again.
    await sync(target, contextOf(defaultDeletionPolicy));
    expect(target.failures.map(({ error }) => error.code)).toEqual(["CONFLICT"]);
    await sync(target, contextOf({ ...defaultDeletionPolicy, confirmed: true }));
    expect(titlesOf(target)).toEqual(["c.md"]);
  });

  it("ends with a shared drive that the user is in no more, whose documents stay until a person confirms", async () => {
    const { google, put } = await open("my-drive", { drives: "both", driveIds: [] });
    google.drive.addDrive(sharedDriveId, "Projects", []);
    for (let index = 0; index < 55; index += 1) await put(`${index}.md`, `${index}`);
    for (let index = 0; index < 50; index += 1) {
      const { id } = google.drive.find(fakeRootId, `${index}.md`)!;
      google.drive.update(id, { parentId: sharedDriveId });
    }
    const target = await sync(new MemoryTarget());
    expect(target.documents.size).toBe(55);
    const drive = google.drive.drives.get(sharedDriveId)!;
    drive.isMember = false;
    const unasked = contextOf({ maxShare: 0.95, confirmed: false });
    // Killed in the middle of it, a run leaves nothing behind that lets the next one take the drive for one it never had.
    const { config, secrets } = harness;
    const request = {
      config,
      secrets,
      cursor: target.cursor,
      journal: target.journal(),
      known: target.known(),
      context: unasked,
    };
    await target.apply(gdriveConnector.read(request), { at: 0, write: "done" });
    for (let syncs = 0; syncs < 2; syncs += 1) {
      await sync(target, unasked);
      expect(target.documents.size).toBe(55);
      expect(target.failures.map(({ error }) => error.details?.["missing"])).toEqual([50]);
      expect(target.failures[0]?.error.message).toContain(sharedDriveId);
    }
    const copy = target.copy();
    drive.isMember = true;
    await sync(copy, unasked);
    expect([copy.documents.size, copy.failures]).toEqual([55, []]);
    drive.isMember = false;
    await sync(target, contextOf({ maxShare: 0.95, confirmed: true }));
    expect(target.documents.size).toBe(5);
    await sync(target, unasked);
    expect(target.failures).toEqual([]);
  });

  it("names a folder that went into the trash or came back, and stands for all that is in it", async () => {
    const { google, put, root } = await open("my-drive");
    for (const name of ["keep.md", "plans/a.md", "plans/deep/er/b.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    const folder = google.drive.find(root, "plans")!;
    google.drive.update(folder.id, { trashed: true });
    await sync(target);
    expect(titlesOf(target)).toEqual(["keep.md"]);
    google.drive.update(folder.id, { trashed: false });
    await sync(target);
    expect(titlesOf(target)).toEqual(["a.md", "b.md", "keep.md"]);
  });

  it("names a folder that was deleted for good, and stands for all that was in it", async () => {
    const { google, put, root } = await open("my-drive");
    for (const name of ["keep.md", "plans/a.md", "plans/deep/b.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    google.drive.destroy(google.drive.find(root, "plans")!.id);
    await sync(target);
    expect(titlesOf(target)).toEqual(["keep.md"]);
    expect(target.opened).toEqual([]);
  });

  it("takes a folder's documents out when it is moved to where the source does not look", async () => {
    const { google, put, root } = await open("my-drive", { exclude: ["private/**"] });
    for (const name of ["keep.md", "plans/deep/a.md", "private/x.md"]) await put(name, name);
    const target = await sync(new MemoryTarget());
    expect(titlesOf(target)).toEqual(["a.md", "keep.md"]);
    await put("private/y.md", "y");
    await sync(target);
    expect(target.changes.at(-1)).toMatchObject({ leftOut: { excluded: 1 } });
    const plans = google.drive.find(root, "plans")!;
    google.drive.update(plans.id, { parentId: google.drive.find(root, "private")!.id });
    await sync(target);
    expect(titlesOf(target)).toEqual(["keep.md"]);
    google.drive.update(plans.id, { parentId: root });
    await sync(target);
    expect(titlesOf(target)).toEqual(["a.md", "keep.md"]);
  });

  it("of two drives tells of a document that was moved between them, which stays and is not read again", async () => {
    const { google, put } = await open("my-drive", { drives: "both", driveIds: [] });
    google.drive.addDrive(sharedDriveId, "Projects", [
      { type: "user", role: "reader", emailAddress: "bob@corp.example" },
    ]);
    await put("a.md", "Alpha");
    const target = await sync(new MemoryTarget());
    const { id } = google.drive.find(fakeRootId, "a.md")!;
    google.drive.update(id, { parentId: sharedDriveId, permissions: [] });
    await sync(target);
    expect(target.opened).toEqual([]);
    expect([...target.documents.keys()]).toEqual([id]);
    expect(await readersOf(target, id)).toEqual(["bob"]);
    google.drive.update(id, { parentId: fakeRootId });
    await sync(target);
    expect([...target.documents.keys()]).toEqual([id]);
    expect(await readersOf(target, id)).toEqual([]);
  });

  it("is not needed for a drive that is no longer read: its documents go", async () => {
    const { google, put } = await open("my-drive", { drives: "both" });
    google.drive.addDrive(sharedDriveId, "Projects", []);
    google.drive.add({ name: "shared.md", parentId: sharedDriveId, mimeType: "text/markdown" });
    await put("own.md", "Own");
    const target = await sync(new MemoryTarget());
    expect(titlesOf(target)).toEqual(["own.md", "shared.md"]);
    google.drive.drives.get(sharedDriveId)!.isMember = false;
    await sync(target);
    expect(titlesOf(target)).toEqual(["own.md"]);
  });
});

describe("documents", () => {
  it("of Google's own formats are exported as the source says, and what holds no text is left out", async () => {
    const { google, root } = await open("my-drive", { spreadsheetsAs: "csv" });
    const add = (name: string, type: string, content = name) =>
      google.drive.add({
        name,
        parentId: root,
        mimeType: `application/vnd.google-apps.${type}`,
        content: Buffer.from(content),
      });
    const doc = add("Plan", "document");
    const sheet = add("Budget", "spreadsheet");
    const slides = add("Talk", "presentation");
    add("Survey", "form");
    google.drive.update(add("Link", "shortcut").id, { targetId: doc.id });
    const huge = add("Huge", "document", "x".repeat(20_000));
    const target = await sync(new MemoryTarget());
    expect(target.documents.get(doc.id)).toMatchObject({
      text: "[text/markdown] Plan",
      item: { mediaType: "text/markdown", title: "Plan" },
    });
    expect(target.documents.get(sheet.id)?.text).toBe("[text/csv] Budget");
    expect(target.documents.get(slides.id)?.item.mediaType).toContain("presentationml");
    expect(target.documents.size).toBe(3);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([[huge.id, "DOCUMENT_TOO_LARGE"]]);
    // Sharing is no new content, for these have no checksum.
    google.drive.update(doc.id, {
      permissions: [{ type: "user", role: "reader", emailAddress: "ann@corp.example" }],
    });
    await sync(target);
    expect(target.opened).toEqual([]);
    expect(target.changes.filter((change) => change.type === "acl").length).toBe(1);
  });

  it("whose transfer broke off are read in the next run, though no feed tells of them", async () => {
    const { google, put, root } = await open("my-drive");
    await put("a.md", "Alpha beta gamma");
    const file = google.drive.find(root, "a.md")!;
    file.download = "cut";
    const target = await sync(new MemoryTarget());
    expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_UNREACHABLE"]);
    file.download = null;
    await sync(target);
    expect(target.documents.get(file.id)?.text).toBe("Alpha beta gamma");
  });

  it("lose readers even when their new content cannot be read", async () => {
    const { google, put, share, root } = await open("my-drive");
    await put("a.md", "Alpha");
    await share("a.md", [{ user: "ann" }]);
    const target = await sync(new MemoryTarget());
    const file = google.drive.find(root, "a.md")!;
    await share("a.md", [{ user: "bob" }]);
    file.download = { status: 403, reason: "cannotDownloadFile" };
    google.drive.write(file.id, "Beta");
    await sync(target);
    expect(target.failures.map(({ error }) => error.code)).toEqual(["SOURCE_FORBIDDEN"]);
    expect(target.documents.get(file.id)?.text).toBe("Alpha");
    expect(await readersOf(target, file.id)).toEqual(["bob"]);
  });

  it("that others share are read only when the source says so", async () => {
    const { google, config } = await open("my-drive");
    const shared = google.drive.add({ name: "theirs.md", parentId: "", ownedByMe: false, mimeType: "text/markdown" });
    expect((await sync(new MemoryTarget())).documents.size).toBe(0);
    harness = { ...harness, config: { ...config, sharedWithMe: true } };
    expect([...(await sync(new MemoryTarget())).documents.keys()]).toEqual([shared.id]);
  });
});

describe("permissions", () => {
  it("of a shared drive are followed when its members change, which its feed does not tell", async () => {
    const { google, put, refOf } = await open("shared-drive");
    await put("a.md", "Alpha");
    await put("deep/b.md", "Beta");
    const target = await sync(new MemoryTarget());
    const setReader = (emailAddress: string) =>
      google.drive.setDrivePermissions(sharedDriveId, [{ type: "user", role: "reader", emailAddress }]);
    setReader("ann@corp.example");
    await sync(target);
    expect(await readersOf(target, refOf("deep/b.md"))).toEqual(["ann"]);
    setReader("eve@partner.example");
    await sync(target);
    expect(target.opened).toEqual([]);
    expect(await readersOf(target, refOf("a.md"))).toEqual(["eve"]);
    expect(await readersOf(target, refOf("deep/b.md"))).toEqual(["eve"]);
  });

  it("of a shared drive's files count for its members or its domain alone once it is for these, though all stay listed", async () => {
    const { google, put, setGroup, refOf, root } = await open("shared-drive", { driveIds: [] });
    const { drive, directory } = google;
    const reads = (emailAddress: string, type: FakePermission["type"] = "user"): FakePermission => ({
      type,
      role: "reader",
      emailAddress,
    });
    drive.setDrivePermissions(sharedDriveId, [reads("ann@corp.example"), reads("dan@partner.example")]);
    // A drive that is open to people from elsewhere makes them known.
    drive.addDrive("0AOther", "Partners", [reads("dan@partner.example"), reads("kim@partner.example")]);
    drive.add({ name: "welcome.md", parentId: "0AOther", mimeType: "text/markdown" });
    directory.users.push({ primaryEmail: "eve@branch.example" }, { primaryEmail: "zoe@corp.example" });
    await setGroup("staff", ["bob", "group:mixed"]);
    directory.groups.set("mixed@corp.example", [
      { type: "USER", email: "zoe@corp.example" },
      { type: "USER", email: "kim@partner.example" },
    ]);
    await put("deep/a.md", "Alpha");
    const shared = [reads("staff@corp.example", "group"), reads("eve@branch.example"), reads("kim@partner.example")];
    drive.update(drive.find(root, "deep")!.id, { permissions: [...shared, { type: "anyone", role: "reader" }] });
    const addresses = ["ann@corp", "bob@corp", "zoe@corp", "eve@branch", "dan@partner", "kim@partner", "who@else"];
    const target = await sync(new MemoryTarget());
    const readers = async () => {
      const { config, secrets } = harness;
      const held = await MemoryDirectory.read(
        gdriveConnector.readDirectory!({ config, secrets, context: contextOf() }),
      );
      const acl = target.documents.get(refOf("deep/a.md"))?.item.acl;
      return addresses.filter((address) => mayRead(acl, held.heldBy(`${address}.example`)));
    };
    expect(await readers()).toEqual(addresses);
    const { restrictions } = drive.drives.get(sharedDriveId)!;
    restrictions.driveMembersOnly = true;
    await sync(target);
    expect(await readers()).toEqual(["ann@corp", "dan@partner"]);
    restrictions.domainUsersOnly = true;
    await sync(target);
    expect(await readers()).toEqual(["ann@corp"]);
    restrictions.driveMembersOnly = false;
    await sync(target);
    expect(await readers()).toEqual(["ann@corp", "bob@corp", "zoe@corp", "eve@branch"]);
    restrictions.domainUsersOnly = false;
    await sync(target);
    expect(await readers()).toEqual(addresses);
    expect(target.opened).toEqual([]);
  });

  it("of a shared drive are followed when they change in the middle of a run", async () => {
    const { google, put, root, refOf } = await open("shared-drive");
    const setReader = (emailAddress: string) =>
      google.drive.setDrivePermissions(sharedDriveId, [{ type: "user", role: "reader", emailAddress }]);
    setReader("ann@corp.example");
    await put("a.md", "Alpha");
    await put("b.md", "Beta");
    const broken = google.drive.find(root, "a.md")!;
    broken.download = "cut";
    const target = await sync(new MemoryTarget());
    const { config, secrets } = harness;
    const stream = gdriveConnector.read({
      config,
      secrets,
      cursor: target.cursor,
      journal: target.journal(),
      known: target.known(),
      context: contextOf(),
    });
    const changing = async function* () {
      for await (const change of stream) {
        // The document that failed before is asked for first, and with it the audience that it inherits.
        if (change.type === "upsert") setReader("bob@corp.example");
        yield change;
      }
    };
    await target.apply(changing());
    expect(await readersOf(target, refOf("b.md"))).toEqual(["bob"]);
  });

  it("of a folder with limited access shut out the drive's members, below it too", async () => {
    const { google, put, refOf, root } = await open("shared-drive");
    google.drive.setDrivePermissions(sharedDriveId, [
      { type: "user", role: "reader", emailAddress: "ann@corp.example" },
    ]);
    await put("board/deep/a.md", "Alpha");
    await put("open/b.md", "Beta");
    google.drive.update(google.drive.find(root, "board")!.id, {
      inheritedPermissionsDisabled: true,
      permissions: [{ type: "user", role: "reader", emailAddress: "bob@corp.example" }],
    });
    const target = await sync(new MemoryTarget());
    expect(await readersOf(target, refOf("board/deep/a.md"))).toEqual(["bob"]);
    expect(await readersOf(target, refOf("open/b.md"))).toEqual(["ann"]);
  });

  it("cost one request for a shared drive in which nothing is shared on its own", async () => {
    const { google, put } = await open("shared-drive");
    for (let at = 0; at < 12; at += 1) await put(`folder-${at % 3}/${at}.md`, String(at));
    google.pageSize = 100;
    google.takeLog();
    await sync(new MemoryTarget());
    const asked = google.takeLog().filter((line) => line.endsWith("/permissions"));
    // Once for the drive's own audience, and once for what is inherited from it.
    expect(asked.length).toBe(2);
  });

  it("that end at a set time are followed to it, though no feed tells", async () => {
    for (const where of ["my-drive", "shared-drive"] as const) {
      const { google, put, root, refOf } = await open(where);
      await put("reports/a.md", "Alpha");
      const grant: FakePermission = {
        type: "user",
        role: "reader",
        emailAddress: "ann@corp.example",
        expirationTime: "2999-01-01T00:00:00Z",
      };
      google.drive.update(google.drive.find(root, "reports")!.id, { permissions: [grant] });
      const target = await sync(new MemoryTarget());
      expect(await readersOf(target, refOf("reports/a.md")), where).toEqual(["ann"]);
      grant.expirationTime = "2001-01-01T00:00:00Z";
      await sync(target);
      expect(await readersOf(target, refOf("reports/a.md")), where).toEqual([]);
      expect(target.opened).toEqual([]);
    }
  });

  it("by link alone are kept from search where the source says so", async () => {
    const { put, share, refOf } = await open("my-drive", { linkSharing: "nobody" });
    await put("a.md", "Alpha");
    await share("a.md", ["anyone", { user: "ann" }]);
    const target = await sync(new MemoryTarget());
    expect(await readersOf(target, refOf("a.md"))).toEqual(["ann"]);
  });
});

describe("the directory", () => {
  it("tells nobody of the Workspace where the list of its groups is given up on: half would be taken for all", async () => {
    const { google, config, secrets } = await open("my-drive");
    google.directory.groups.set("staff@corp.example", [{ type: "USER", email: "ann@corp.example" }]);
    const told: DirectoryEntry[] = [];
    const tell = async (clock: TestClock) => {
      const request = { config, secrets, context: { ...contextOf(), clock } };
      for await (const entry of gdriveConnector.readDirectory!(request)) told.push(entry);
    };
    google.trouble.begin(null);
    await tell(createTestClock());
    expect(told.splice(0)).not.toEqual([]);
    const on = google.trouble.places.find((place) => /\/groups\?/.test(place))!;
    const clock = createTestClock();
    google.trouble.begin({ kind: "given up", on }, clock);
    await expect(tell(clock)).rejects.toMatchObject({ status: 504 });
    expect(told).toEqual([]);
  });

  it("gives nothing to suspended users, and takes aliases for addresses but not what users write themselves", async () => {
    const { google, put, share, refOf } = await open("my-drive");
    await put("a.md", "Alpha");
    await share("a.md", [{ domain: "corp.example" }, { user: "bob" }]);
    const target = await sync(new MemoryTarget());
    const { users } = google.directory;
    Object.assign(
      users.find(({ primaryEmail }) => primaryEmail.startsWith("bob"))!,
      { suspended: true },
    );
    Object.assign(
      users.find(({ primaryEmail }) => primaryEmail.startsWith("ann"))!,
      { aliases: ["a@corp.example"] },
    );
    expect(await readersOf(target, refOf("a.md"), ["ann", "bob", "a", "chosen-freely"])).toEqual(["ann", "a"]);
  });

  it("counts everybody in a group that the whole organisation is in, and nobody who is not active in it", async () => {
    const { google, put, share, refOf } = await open("my-drive");
    await put("a.md", "Alpha");
    await share("a.md", [{ group: "all" }]);
    const target = await sync(new MemoryTarget());
    google.directory.groups.set("all@corp.example", [{ type: "CUSTOMER" }]);
    expect(await readersOf(target, refOf("a.md"))).toEqual(["ann", "bob"]);
    google.directory.groups.set("all@corp.example", [
      { type: "USER", email: "ann@corp.example", status: "SUSPENDED" },
      { type: "EXTERNAL", email: "eve@partner.example" },
    ]);
    expect(await readersOf(target, refOf("a.md"))).toEqual([]);
  });

  it("that is not granted leaves the people whom documents name, and check() says what to grant", async () => {
    const { google, put, share, setGroup, refOf } = await open("my-drive");
    for (const scope of google.tokens.delegatedScopes) {
      if (scope.includes("admin.directory")) google.tokens.delegatedScopes.delete(scope);
    }
    await put("a.md", "Alpha");
    await setGroup("finance", ["bob"]);
    await share("a.md", [{ user: "ann" }, { user: "eve" }, { group: "finance" }, { domain: "corp.example" }]);
    const target = await sync(new MemoryTarget());
    expect(await readersOf(target, refOf("a.md"))).toEqual(["ann", "eve"]);
    const { checks, error } = await check();
    expect(error).toBeNull();
    const groups = checks.find(({ capability }) => capability === "groups");
    expect(groups?.status).toBe("warning");
    expect(groups?.message).toContain("admin.directory.group.readonly");
    expect(groups?.message).toContain("100000000000000000001");
  });

  it("that does not answer just now is an error, so that what was known of it stays", async () => {
    const { google } = await open("my-drive");
    google.directory.refusal = { status: 403, reason: "quotaExceeded", message: "Quota exceeded." };
    const { config, secrets } = harness;
    const read = MemoryDirectory.read(gdriveConnector.readDirectory!({ config, secrets, context: contextOf() }));
    await expect(read).rejects.toMatchObject({ code: "RATE_LIMITED", retryable: true });
  });
});

describe("Google's service", () => {
  it("is waited for when it asks to without saying for how long", async () => {
    const { google, put } = await open("my-drive");
    await put("a.md", "Alpha");
    google.refuseNext.push("rateLimitExceeded", "backendError");
    const clock = createTestClock();
    expect((await sync(new MemoryTarget(), { ...contextOf(), clock })).documents.size).toBe(1);
    expect(clock.sleptMs).toBeGreaterThan(0);
    expect(google.refuseNext).toEqual([]);
  });

  it("names what is wrong, in its own words for what to grant, and never repeats the key", async () => {
    const { google, config, put } = await open("my-drive");
    await put("a.md", "Alpha");
    const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    const codeAfter = async (change: Partial<DriveHarness>) => {
      const { config: asked, secrets } = { ...harness, ...change };
      const { error } = await gdriveConnector.check(asked, secrets, contextOf());
      expect(JSON.stringify(error)).not.toMatch(/PRIVATE KEY|assertion/);
      return error;
    };
    expect(await codeAfter({ secrets: { serviceAccountKey: google.tokens.keyFile(other) } })).toMatchObject({
      code: "SOURCE_CREDENTIALS",
    });
    expect(await codeAfter({ secrets: { serviceAccountKey: "{}" } })).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect(await codeAfter({ config: { ...config, user: "nobody@corp.example" } })).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      message: expect.stringContaining("nobody@corp.example"),
    });
    expect(await codeAfter({ config: { ...config, drives: "shared-drives", driveIds: ["0Amissing"] } })).toMatchObject({
      code: "SOURCE_NOT_FOUND",
      message: expect.stringContaining("0Amissing"),
    });
    expect(await codeAfter({ config: { ...config, allowPrivateHosts: false } })).toMatchObject({
      code: "SOURCE_FORBIDDEN",
    });
    google.tokens.delegatedScopes.clear();
    expect(await codeAfter({})).toMatchObject({
      code: "SOURCE_FORBIDDEN",
      action: expect.stringContaining("https://www.googleapis.com/auth/drive.readonly"),
    });
  });

  it("says in check() what would be read, as whom, and of which documents the permissions stay unknown", async () => {
    const { google, put, root } = await open("my-drive");
    await put("a.md", "Alpha");
    await put("b.md", "Beta");
    expect(await check()).toMatchObject({
      summary: `"My Drive" of ${archive} can be read and holds 2 documents: a.md and b.md.`,
      checks: [{ status: "ok" }, { status: "ok" }, { capability: "permissions", status: "ok" }, { status: "ok" }],
    });
    google.drive.find(root, "b.md")!.canShare = false;
    const { checks } = await check();
    const permissions = checks.find(({ capability }) => capability === "permissions");
    expect(permissions).toMatchObject({ status: "warning", message: expect.stringContaining("Of 1 of the first 2") });
  });
});
