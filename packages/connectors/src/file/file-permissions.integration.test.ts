import { spawnSync } from "node:child_process";
import { chmod, rename, symlink, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { mayRead } from "@anneal/core/access/acl";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { findDebianProgram } from "../../conformance/find-debian-program.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { createPosixFiles, emailDomain, mayGiveAway, type PosixFiles } from "../../conformance/posix-files.ts";
import { testContext } from "../../conformance/test-context.ts";
import { fileConfigSchema } from "./config.ts";
import { filePrincipals } from "./file-audience.ts";
import { fileConnector } from "./file-connector.ts";

const getfacl = findDebianProgram("acl", "bin/getfacl");
const systemPath = process.env.PATH;
const context = testContext();

const configOf = ({ root, passwdPath, groupPath }: PosixFiles) =>
  fileConfigSchema.parse({ path: root, permissions: "posix", userEmailDomain: emailDomain, passwdPath, groupPath });

async function createHarness() {
  const files = await createPosixFiles();
  return {
    ...files,
    connector: fileConnector,
    config: configOf(files),
    secrets: {},
    refOf: (name: string) => name,
    emailOf: (person: string) => `${person}@${emailDomain}`,
    supports: { groups: true, nestedGroups: false, deny: true, domain: false, anyone: true },
  };
}

describe.skipIf(getfacl === null || !mayGiveAway())("with getfacl", () => {
  beforeAll(() => {
    process.env.PATH = `${dirname(getfacl!.path)}${delimiter}${systemPath}`;
  });
  afterAll(() => {
    process.env.PATH = systemPath;
  });

  describeConnector("file with permissions", createHarness);
  describePermissions("file", createHarness, createHarness);

  let files: PosixFiles;
  beforeEach(async () => {
    files = await createPosixFiles();
  });
  afterEach(() => files.close());

  const setfacl = (name: string, entries: string) => {
    const { status, stderr } = spawnSync("setfacl", ["-m", entries, join(files.root, name)], { encoding: "utf8" });
    if (status !== 0) throw new Error(`setfacl: ${stderr}`);
  };
  const readersOf = async (ref: string) => {
    const config = configOf(files);
    const target = new MemoryTarget();
    await target.apply(fileConnector.read({ config, secrets: {}, cursor: null, known: target.known(), context }));
    const directory = await MemoryDirectory.read(fileConnector.readDirectory!({ config, secrets: {}, context }));
    return ["ann", "bob", "eve"].filter((person) =>
      mayRead(target.documents.get(ref)?.item.acl, directory.heldBy(`${person}@${emailDomain}`)),
    );
  };

  it.each([
    ["hr", 0o700],
    // Its names can be listed, and nothing more.
    ["hr", 0o744],
    ["", 0o700],
  ])("shows to nobody what lies in a folder that was closed to the connector too: %j, %o", async (folder, mode) => {
    await files.put("hr/dismissals.md", "Names.");
    for (const [name, open] of [
      ["", 0o755],
      ["hr", 0o755],
      ["hr/dismissals.md", 0o644],
    ] as const)
      await chmod(join(files.root, name), open);
    const { before, closed, again, opened } = readAsAnother(configOf(files), join(files.root, folder), mode);
    expect(before).toBeGreaterThan(0);
    expect(closed).toBe(0);
    expect(again).toBe(before);
    expect(opened).toEqual([]);
  });

  it("shows what was moved into a closer folder to its readers alone, while the old copies wait for a person", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `${index}.md`);
    for (const name of names) {
      await files.put(`public/${name}`, `Text ${name}`);
      await files.share(`public/${name}`, ["anyone"]);
    }
    await files.put("hr/other.md", "Another.");
    await files.shareFolder("public", ["anyone"]);
    await files.shareFolder("hr", [{ user: "ann" }]);
    const config = configOf(files);
    const target = new MemoryTarget();
    const held = testContext({ deletions: defaultDeletionPolicy });
    const sync = () =>
      target.apply(fileConnector.read({ config, secrets: {}, cursor: null, known: target.known(), context: held }));
    await sync();
    for (const name of names.slice(0, 3)) await files.move(`public/${name}`, `hr/${name}`);
    await sync();
    const directory = await MemoryDirectory.read(fileConnector.readDirectory!({ config, secrets: {}, context }));
    const readers = (ref: string) =>
      ["ann", "bob", "eve"].filter((person) =>
        mayRead(target.documents.get(ref)?.item.acl, directory.heldBy(`${person}@${emailDomain}`)),
      );
    expect(["public/0.md", "hr/0.md", "public/9.md"].map(readers)).toEqual([[], ["ann"], ["ann", "bob", "eve"]]);
    expect(target.failures).toMatchObject([{ ref: "", error: { details: { missing: 3, hidden: true } } }]);
  });

  it.each([
    ["another file took its place", (path: string) => rename(`${path}.own`, path)],
    ["its rights changed", (path: string) => chmod(path, 0o600)],
  ])("gives nobody a text by the rights of the file that was listed, where %s since", async (_, change) => {
    await files.put("a.md", "For all.");
    await files.share("a.md", ["anyone"]);
    await writeFile(join(files.root, "a.md.own"), "For me.", { mode: 0o600 });
    const config = { ...configOf(files), exclude: ["*.own"] };
    const stream = fileConnector.read({
      config,
      secrets: {},
      cursor: null,
      known: new MemoryTarget().known(),
      context,
    });
    const opened: unknown[] = [];
    for await (const each of stream) {
      if (each.type !== "upsert") continue;
      await change(join(files.root, each.item.ref));
      opened.push(await each.content.open(context.signal).catch((error: unknown) => error));
    }
    expect(opened).toMatchObject([{ code: "CONFLICT", retryable: true }]);
  });

  it("does not take the mask of an access list for the rights of the owning group", async () => {
    await files.setGroup("finance", ["ann", "eve"]);
    await files.put("plan.md", "A plan.");
    await files.share("plan.md", [{ group: "finance" }]);
    setfacl("plan.md", "u:2002:r,g::---");
    expect(await readersOf("plan.md")).toEqual(["bob"]);
  });

  it("reads named users and groups, cut down by the mask, and refuses a user whom others' rights would admit", async () => {
    await files.setGroup("finance", ["ann"]);
    await files.put("a.md", "a");
    await files.put("b.md", "b");
    await files.put("c.md", "c");
    await files.share("a.md", []);
    setfacl("a.md", "g:3001:r,u:2002:r");
    await files.share("b.md", []);
    setfacl("b.md", "g:3001:r,u:2002:r,m::---");
    await files.share("c.md", ["anyone"]);
    setfacl("c.md", "u:2003:---");
    expect(await readersOf("a.md")).toEqual(["ann", "bob"]);
    expect(await readersOf("b.md")).toEqual([]);
    expect(await readersOf("c.md")).toEqual(["ann", "bob"]);
  });

  it("finds the list of a file whose name holds spaces, line breaks, backslashes and other scripts", async () => {
    const name = "größe 日本語\n\\040 #.md";
    await files.put(name, "text");
    await files.share(name, [{ user: "ann" }]);
    expect(await readersOf(name)).toEqual(["ann"]);
  });

  it("admits through a link whom both its folder and its target admit", async () => {
    await files.put("open/plan.md", "A plan.");
    await files.put("shut/other.md", "Another.");
    await files.share("open/plan.md", ["anyone"]);
    await files.shareFolder("shut", [{ user: "ann" }]);
    await symlink("../open/plan.md", join(files.root, "shut/linked.md"));
    await symlink("../open/plan.md", join(files.root, "open/same.md"));
    expect(await readersOf("open/same.md")).toEqual(["ann", "bob", "eve"]);
    expect(await readersOf("shut/linked.md")).toEqual(["ann"]);
  });

  it("names the folder that closes a file which its own rights would open, above the source's own folder too", async () => {
    await files.setGroup("finance", ["ann"]);
    await files.put("Reports/plan.md", "A plan.");
    await files.put("open.md", "For all.");
    await files.share("Reports/plan.md", ["anyone"]);
    await files.share("open.md", ["anyone"]);
    await files.shareFolder("Reports", [{ group: "finance" }]);
    const aclOf = async (ref: string) => {
      const target = new MemoryTarget();
      const request = { config: configOf(files), secrets: {}, cursor: null, known: target.known(), context };
      await target.apply(fileConnector.read(request));
      return target.documents.get(ref)!.item.acl!;
    };
    const reports = join(files.root, "Reports");
    const plan = await aclOf("Reports/plan.md");
    expect(plan.allow.find(({ id }) => id === "3001")).toMatchObject({ kind: "group", inheritedFrom: reports });
    expect(plan.closed).toEqual([{ container: reports, to: [filePrincipals.others] }]);
    expect((await aclOf("open.md")).closed).toBeUndefined();
    await chmod(dirname(files.root), 0o700);
    expect((await aclOf("open.md")).closed).toEqual([{ container: dirname(files.root), to: [filePrincipals.others] }]);
  });

  it("tells once which folder closes a document, where only that is another one now, and reads nothing", async () => {
    await files.put("Reports/2027/plan.md", "A plan.");
    await files.share("Reports/2027/plan.md", ["anyone"]);
    await files.shareFolder("Reports", [{ user: "ann" }]);
    await files.shareFolder("Reports/2027", ["anyone"]);
    const target = new MemoryTarget();
    const sync = (known = target.known()) =>
      target.apply(fileConnector.read({ config: configOf(files), secrets: {}, cursor: null, known, context }));
    const types = () => target.changes.map(({ type }) => type);
    const expectClosed = (ref: string, folder: string) => {
      const containers = target.documents.get(ref)!.item.acl!.closed?.map(({ container }) => container);
      expect(containers).toEqual([join(files.root, folder)]);
    };
    await sync();
    expectClosed("Reports/2027/plan.md", "Reports");
    await files.shareFolder("Reports/2027", [{ user: "ann" }]);
    await files.shareFolder("Reports", ["anyone"]);
    await sync();
    expect(types()).toEqual(["acl", "checkpoint"]);
    expectClosed("Reports/2027/plan.md", "Reports/2027");
    await sync();
    expect(types()).toEqual(["checkpoint"]);
    // As an earlier release left it, which stored no digest.
    await sync({ ...target.known(), originsOf: async () => "" });
    expect(types()).toEqual(["acl", "checkpoint"]);
    // What is closed by another folder elsewhere is still the same document.
    await files.move("Reports/2027/plan.md", "Plans/plan.md");
    await files.shareFolder("Plans", [{ user: "ann" }]);
    await sync();
    expect(types()).toEqual(["moved", "checkpoint"]);
    expectClosed("Plans/plan.md", "Plans");
  });

  it("says in check() what it knows, and what is missing", async () => {
    await files.put("a.md", "a");
    const check = (config: Record<string, unknown>) =>
      fileConnector.check({ ...configOf(files), ...config }, {}, context);
    expect((await check({})).checks.at(-1)).toMatchObject({
      status: "ok",
      message: expect.stringContaining("4 accounts, 3 of which are people"),
    });
    const last = async (config: Record<string, unknown>) => (await check(config)).checks.at(-1);
    expect(await last({ firstPersonId: 5000 })).toMatchObject({
      status: "warning",
      message: expect.stringContaining("none of which is a person"),
    });
    await files.share("a.md", []);
    expect(await last({})).toMatchObject({
      status: "warning",
      message: expect.stringContaining("The first file is not for any of these people"),
    });
    await files.share("a.md", ["anyone"]);
    await files.put("shut/b.md", "b");
    await files.shareFolder("shut", []);
    expect(await last({})).toMatchObject({
      status: "ok",
      message: expect.stringContaining("1 of the first 2 files is for none of these people"),
    });
    expect((await check({ userEmailDomain: null })).checks.at(-1)).toMatchObject({ status: "warning" });
    expect((await check({ passwdPath: "/nowhere/passwd" })).error).toMatchObject({ code: "SOURCE_NOT_FOUND" });
    process.env.PATH = "/nowhere";
    try {
      expect((await check({})).error).toMatchObject({ code: "PREREQUISITE_MISSING" });
      expect((await check({ permissions: "off" })).error).toBeNull();
    } finally {
      process.env.PATH = `${dirname(getfacl!.path)}${delimiter}${systemPath}`;
    }
  });
});

/** Root may list everything, so a child that is another user meanwhile reads before, while and after `folder` has `mode`. */
function readAsAnother(
  config: object,
  folder: string,
  mode: number,
): { before: number; closed: number; again: number; opened: string[] } {
  const urlOf = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const script = `
    const { chmodSync } = await import("node:fs");
    const { fileConnector } = await import(${urlOf("./file-connector.ts")});
    const { MemoryTarget } = await import(${urlOf("../../conformance/memory-target.ts")});
    const { testContext } = await import(${urlOf("../../conformance/test-context.ts")});
    const config = ${JSON.stringify(config)};
    const target = new MemoryTarget();
    process.setgroups([]);
    const readers = async (mode) => {
      chmodSync(${JSON.stringify(folder)}, mode);
      process.setegid(65534);
      process.seteuid(65534);
      const request = { config, secrets: {}, cursor: null, known: target.known(), context: testContext() };
      await target.apply(fileConnector.read(request)).catch(() => undefined);
      process.seteuid(0);
      process.setegid(0);
      return target.documents.get("hr/dismissals.md").item.acl.allow.length;
    };
    const before = await readers(0o755);
    const closed = await readers(${mode});
    const again = await readers(0o755);
    console.log(JSON.stringify({ before, closed, again, opened: target.opened }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as ReturnType<typeof readAsAnother>;
}
