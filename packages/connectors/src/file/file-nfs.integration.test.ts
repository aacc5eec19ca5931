import { chmod, chown } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import { mayRead } from "@anneal/core/access/acl";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describeHiddenLists } from "../../conformance/describe-hidden-lists.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { findDebianProgram } from "../../conformance/find-debian-program.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { createPosixFiles, emailDomain, namesBelow } from "../../conformance/posix-files.ts";
import { findNfs, startNfs, type NfsExport, type NfsServer } from "../../conformance/start-nfs.ts";
import { testContext } from "../../conformance/test-context.ts";
import { fileConfigSchema } from "./config.ts";
import { fileConnector } from "./file-connector.ts";

const program = findNfs();
const getfacl = findDebianProgram("acl", "bin/getfacl");
const systemPath = process.env.PATH;
const context = testContext();

describe.skipIf(program === null)("a folder of an NFS server", () => {
  let server: NfsServer;
  beforeAll(async () => {
    server = await startNfs(program!);
    if (getfacl !== null) process.env.PATH = `${dirname(getfacl.path)}${delimiter}${systemPath}`;
  }, 60_000);
  afterAll(async () => {
    process.env.PATH = systemPath;
    await server.stop();
  });

  /** Written on the server's disk, read where it is mounted. */
  const createHarness = async (where: NfsExport, permissions: "off" | "posix") => {
    const files = await createPosixFiles(where.onServer);
    const { passwdPath, groupPath } = files;
    const path = join(where.mounted, relative(where.onServer, files.root));
    const rights = { permissions, hiddenAccessLists: "none" };
    return {
      ...files,
      connector: fileConnector,
      config: fileConfigSchema.parse({ path, ...rights, userEmailDomain: emailDomain, passwdPath, groupPath }),
      secrets: {},
      refOf: (name: string) => name,
      names: namesBelow(path, server.longestPathBytes),
      emailOf: (person: string) => `${person}@${emailDomain}`,
      supports: { groups: true, nestedGroups: false, deny: true, domain: false, anyone: true },
    };
  };

  describeConnector("file over NFS", () => createHarness(server.squashed, "off"));

  it("reports what the server lets nobody read, root included, and deletes nothing by it", async () => {
    const harness = await createHarness(server.squashed, "off");
    try {
      for (const name of ["open.md", "shut/a.md", "secret.md"]) await harness.put(name, name);
      const target = new MemoryTarget();
      const sync = () =>
        target.apply(fileConnector.read({ ...harness, cursor: target.cursor, known: target.known(), context }));
      await sync();
      expect(target.documents.size).toBe(3);
      await chmod(join(harness.root, "secret.md"), 0o600);
      await chmod(join(harness.root, "shut"), 0o700);
      await harness.put("open.md", "open, and changed");
      await sync();
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["shut/", "SOURCE_FORBIDDEN"]]);
      expect(target.documents.size).toBe(3);
      await harness.put("secret.md", "secret, and changed");
      await sync();
      expect(target.failures.map(({ ref }) => ref).sort()).toEqual(["secret.md", "shut/"]);
      expect(target.contents()["secret.md"]).toBe("secret.md");
    } finally {
      await harness.close();
    }
  });

  it("deletes nothing of a folder whose names are all that the server tells", async () => {
    const harness = await createHarness(server.squashed, "off");
    try {
      for (const name of ["open.md", "shut/a.md", "shut/deep/b.md"]) await harness.put(name, name);
      const target = new MemoryTarget();
      for (const include of [[], ["*.md"]]) {
        const config = { ...harness.config, include };
        const sync = () =>
          target.apply(fileConnector.read({ ...harness, config, cursor: null, known: target.known(), context }));
        await chmod(join(harness.root, "shut"), 0o755);
        await sync();
        await chmod(join(harness.root, "shut"), 0o744);
        await sync();
        // The kernel's client tells the names, and then each fails; libnfs opens no such folder.
        expect(target.failures.length).toBeGreaterThan(0);
        for (const { error } of target.failures) expect(error.code).toBe("SOURCE_FORBIDDEN");
        expect([...target.documents.keys()].sort()).toEqual(["open.md", "shut/a.md", "shut/deep/b.md"]);
      }
    } finally {
      await harness.close();
    }
  });

  describe.skipIf(getfacl === null)("with owners and rights", () => {
    const createTrusting = () => createHarness(server.trusting, "posix");
    describePermissions("file over NFS", createTrusting, createTrusting);
    describeHiddenLists(createTrusting, getfacl);

    it("shows to nobody only what lies on a mount below the folder", async () => {
      const mounted = await createHarness(server.trusting, "posix");
      const base = dirname(server.trusting.mounted);
      const beside = await createPosixFiles(base);
      try {
        for (const files of [mounted, beside]) {
          await files.put("plan.md", "A plan.");
          await files.share("plan.md", ["anyone"]);
        }
        const include = [mounted.config.path, beside.root].map((path) => `${relative(base, path)}/*`);
        const config = { ...mounted.config, path: base, include, hiddenAccessLists: "possible" as const };
        const target = new MemoryTarget();
        const request = { config, secrets: {}, cursor: null, known: target.known(), context };
        await target.apply(fileConnector.read(request));
        const directory = await MemoryDirectory.read(fileConnector.readDirectory!(request));
        const held = directory.heldBy(mounted.emailOf("ann"));
        const readable = [...target.documents].filter(([, { item }]) => mayRead(item.acl, held)).map(([ref]) => ref);
        expect(target.documents.size).toBe(2);
        expect(target.failures.map(({ ref, error }) => [ref, error.message])).toEqual([
          ["", expect.stringContaining(`"${server.trusting.mounted}"`)],
        ]);
        expect(readable).toEqual([`${relative(base, beside.root)}/plan.md`]);
        const { error, checks } = await fileConnector.check(config, {}, context);
        expect(error).toBeNull();
        expect(checks).toContainEqual({
          capability: "permissions",
          status: "warning",
          message: expect.stringContaining(`"${server.trusting.mounted}"`),
          action: expect.stringContaining("“Access lists that do not show”"),
        });
      } finally {
        await mounted.close();
        await beside.close();
      }
    });

    it("shows to nobody what belongs to a squashed root, or to an owner without a name", async () => {
      const harness = await createHarness(server.trusting, "posix");
      try {
        for (const [name, owner] of [
          ["squashed.md", 65_534],
          ["unknown.md", 54_321],
        ] as const) {
          await harness.put(name, name);
          await chown(join(harness.root, name), owner, owner);
          await chmod(join(harness.root, name), 0o440);
        }
        const target = new MemoryTarget();
        await target.apply(fileConnector.read({ ...harness, cursor: null, known: target.known(), context }));
        const directory = await MemoryDirectory.read(fileConnector.readDirectory!({ ...harness, context }));
        for (const person of ["ann", "bob", "eve", "nobody"]) {
          const held = directory.heldBy(harness.emailOf(person));
          for (const { item } of target.documents.values()) expect(mayRead(item.acl, held)).toBe(false);
        }
        expect(target.documents.size).toBe(2);
      } finally {
        await harness.close();
      }
    });
  });
});
