import { chmod, chown, mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mayRead } from "@anneal/core/access/acl";
import { isAnnealError } from "@anneal/core/errors";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { findSamba, sambaPeople, startSamba, type Samba } from "../../conformance/start-samba.ts";
import { testContext } from "../../conformance/test-context.ts";
import { smbConfigSchema, type SmbConfig } from "./config.ts";
import { smbConnector } from "./smb-connector.ts";
import { openSmb, type SmbSession } from "./smb-session.ts";

// Samba over the rights of its disk: who may read is what smbd itself answers each account.

const program = findSamba();
const context = testContext({ limits: { requestTimeoutMs: 10_000 } });
const people = Object.entries(sambaPeople);
/** Debian's numbers of root, of two of the accounts, and of the group that Samba's "clerks" stands for. */
const [root, ann, bob, clerks] = [0, 5, 6, 12];

describe.skipIf(program === null)("with samba over POSIX rights", () => {
  let samba: Samba;
  const sessions: SmbSession[] = [];
  afterEach(async () => {
    for (const session of sessions.splice(0)) session.close();
    await samba.stop();
  });

  const secrets = () => ({ password: samba.password });
  const configOf = (config: Partial<SmbConfig> = {}) =>
    smbConfigSchema.parse({
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: samba.port,
      share: samba.share,
      user: samba.user,
      userEmailDomain: "example.com",
      ...config,
    });
  const sync = async (target: MemoryTarget, config = configOf()) => {
    const request = { config, secrets: secrets(), context };
    await target.apply(smbConnector.read({ ...request, cursor: target.cursor, known: target.known() }));
    return target;
  };
  const put = async (ref: string, mode: number) => {
    await mkdir(join(samba.root, ref, ".."), { recursive: true });
    await writeFile(join(samba.root, ref), `About ${ref}.`);
    await chmod(join(samba.root, ref), mode);
  };
  const createReadersOf = async () => {
    const directory = await MemoryDirectory.read(
      smbConnector.readDirectory!({ config: configOf(), secrets: secrets(), context }),
    );
    return (target: MemoryTarget, ref: string) => {
      const acl = target.documents.get(ref)?.item.acl;
      return people.flatMap(([person, user]) =>
        mayRead(acl, directory.heldBy(`${user}@example.com`)) ? [person] : [],
      );
    };
  };
  const isRefused = (error: unknown) => {
    if (isAnnealError(error) && error.code === "SOURCE_FORBIDDEN") return null;
    throw error;
  };
  const permissionsOf = async (config: SmbConfig) => {
    const { checks } = await smbConnector.check(config, secrets(), context);
    return checks.find(({ capability }) => capability === "permissions");
  };
  /** Of those whom the share lets in, whom the server lets open the file. */
  const createOpenedBy = async () => {
    const admitted: [person: string, session: SmbSession][] = [];
    for (const [person, user] of people) {
      const session = await openSmb({ ...configOf(), user }, samba.password, context).catch(isRefused);
      if (session !== null) admitted.push([person, session]);
    }
    sessions.push(...admitted.map(([, session]) => session));
    return async (ref: string) => {
      const readers: string[] = [];
      for (const [person, session] of admitted) {
        const request = { op: "open" as const, path: ref.replaceAll("/", "\\") };
        if ((await session.request(request, z.unknown(), ref).catch(isRefused)) !== null) readers.push(person);
      }
      return readers;
    };
  };

  it("admits whom smbd lets through every folder to a file, and follows a folder's mode without reading again", async () => {
    samba = await startSamba(program!, { rights: "posix" });
    samba.setGroup("clerks", [samba.sidOf(sambaPeople.bob)]);
    const [readersOf, openedBy] = [await createReadersOf(), await createOpenedBy()];
    const [outer, inner] = [join(samba.root, "finance"), join(samba.root, "finance/2026")];
    const ref = "finance/2026/salaries.md";
    await put(ref, 0o644);
    const target = await sync(new MemoryTarget());
    const expectReaders = async (readers: string[], what: string) => {
      await sync(target);
      expect(await openedBy(ref), `opened: ${what}`).toEqual(readers);
      expect(readersOf(target, ref), what).toEqual(readers);
      expect(target.opened).toEqual([]);
    };
    const expectRights = async (path: string, owner: number, group: number, mode: number, readers: string[]) => {
      await chown(path, owner, group);
      await chmod(path, mode);
      await expectReaders(readers, `${path} ${owner}:${group} ${mode.toString(8)}`);
    };
    await expectRights(outer, root, clerks, 0o755, ["ann", "bob", "eve"]);
    await expectRights(outer, root, clerks, 0o700, []);
    await expectRights(outer, root, clerks, 0o711, ["ann", "bob", "eve"]);
    await expectRights(outer, root, clerks, 0o744, []);
    await expectRights(outer, ann, clerks, 0o750, ["ann", "bob"]);
    // A class that is allowed nothing is kept out, although others are not.
    await expectRights(outer, ann, clerks, 0o705, ["ann", "eve"]);
    // Through the one folder ann and eve, through the next bob and eve.
    await expectRights(inner, bob, root, 0o755, ["ann", "eve"]);
    await expectRights(inner, bob, root, 0o700, []);
    await expectRights(outer, ann, clerks, 0o750, ["bob"]);
    await expectRights(inner, bob, root, 0o755, ["ann", "bob"]);
    await expectRights(join(samba.root, ref), bob, clerks, 0o600, ["bob"]);
    await expectRights(outer, root, root, 0o755, ["bob"]);
    await expectRights(join(samba.root, ref), ann, clerks, 0o604, ["ann", "eve"]);

    await expectRights(outer, root, root, 0o700, []);
    await sync(target, configOf({ traverse: "bypassed" }));
    expect(readersOf(target, ref)).toEqual(["ann", "eve"]);
  });

  it("names the folder, and the share, that close a file which its own rights would open", async () => {
    samba = await startSamba(program!, { rights: "posix" });
    const group = samba.setGroup("clerks", [samba.sidOf(sambaPeople.bob)]);
    await put("Reports/plan.md", 0o644);
    await put("open.md", 0o644);
    await chown(join(samba.root, "Reports"), root, clerks);
    await chmod(join(samba.root, "Reports"), 0o750);
    const explained = async (config: SmbConfig) => {
      const target = await sync(new MemoryTarget(), config);
      return (ref: string) => {
        const { allow, closed = [] } = target.documents.get(ref)!.item.acl!;
        return {
          from: allow.find(({ id }) => id === group)?.inheritedFrom,
          closed: closed.map(({ container, to }) => [container, to.map(({ id }) => id)]),
        };
      };
    };
    const told = await explained(configOf());
    expect(told("Reports/plan.md")).toEqual({ from: "/Reports", closed: [["/Reports", ["S-1-1-0"]]] });
    expect(told("open.md")).toEqual({ from: undefined, closed: [] });
    const share = `\\\\127.0.0.1:${samba.port}\\${samba.share}`;
    const limited = await explained(configOf({ shareAdmits: [samba.sidOf(sambaPeople.ann)] }));
    expect(limited("open.md").closed).toEqual([[share, ["S-1-1-0"]]]);
    expect(limited("Reports/plan.md").closed).toEqual([
      ["/Reports", ["S-1-1-0"]],
      [share, expect.arrayContaining([group])],
    ]);
  });

  it("tells once which folder closes a document, where only that is another one now, and reads nothing", async () => {
    samba = await startSamba(program!, { rights: "posix" });
    samba.setGroup("clerks", [samba.sidOf(sambaPeople.bob)]);
    const ref = "Reports/2027/plan.md";
    await put(ref, 0o644);
    const setRights = async (folder: string, mode: number) => {
      await chown(join(samba.root, folder), root, clerks);
      await chmod(join(samba.root, folder), mode);
    };
    await setRights("Reports", 0o750);
    await setRights("Reports/2027", 0o755);
    const target = await sync(new MemoryTarget());
    const containers = () => target.documents.get(ref)!.item.acl!.closed?.map(({ container }) => container);
    expect(containers()).toEqual(["/Reports"]);
    await setRights("Reports/2027", 0o750);
    await setRights("Reports", 0o755);
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["acl", "checkpoint"]);
    expect(containers()).toEqual(["/Reports/2027"]);
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
    await rename(join(samba.root, "Reports/2027"), join(samba.root, "2027"));
    await sync(target);
    expect(target.changes.map(({ type }) => type)).toEqual(["moved", "checkpoint"]);
    expect(target.documents.get("2027/plan.md")!.item.acl!.closed).toMatchObject([{ container: "/2027" }]);
  });

  it("shows to nobody what lies in a folder that is closed to the connector too, until it is opened again", async () => {
    samba = await startSamba(program!, { rights: "posix", settings: ["admin users ="] });
    const [readersOf, openedBy] = [await createReadersOf(), await createOpenedBy()];
    await put("finance/salaries.md", 0o644);
    await put("plan.md", 0o644);
    const target = await sync(new MemoryTarget());
    const expectReaders = async (mode: number, readers: string[]) => {
      await chmod(join(samba.root, "finance"), mode);
      await sync(target);
      expect(await openedBy("finance/salaries.md")).toEqual(readers);
      expect(readersOf(target, "finance/salaries.md")).toEqual(readers);
      expect(readersOf(target, "plan.md")).toEqual(["ann", "bob", "eve"]);
      expect(target.opened).toEqual([]);
    };
    await expectReaders(0o700, []);
    expect(target.failures.map(({ ref }) => ref)).toEqual(["finance/"]);
    await expectReaders(0o755, ["ann", "bob", "eve"]);
  });

  it("counts what it leaves out by why, as no document and no failure", async () => {
    samba = await startSamba(program!, { rights: "posix" });
    await put("private/2026/bonus.md", 0o644);
    await put("open/plan.md", 0o644);
    await symlink("../private/2026", join(samba.root, "open/years"));
    const target = await sync(new MemoryTarget(), configOf({ path: "open" }));
    expect([...target.documents.keys()]).toEqual(["plan.md"]);
    expect(target.failures).toEqual([]);
    expect(target.changes.at(-1)).toMatchObject({ type: "checkpoint", scanned: 1, leftOut: { link: 1 } });
  });

  it("leaves out folders that are links, which smbd shows as what they lead to, also in circles", async () => {
    samba = await startSamba(program!, { rights: "posix" });
    const [readersOf, openedBy] = [await createReadersOf(), await createOpenedBy()];
    await put("private/2026/bonus.md", 0o644);
    await put("open/plan.md", 0o644);
    // What Windows would not take in a name smbd shows by another one.
    await put("open/a:b/c:d/e?.txt", 0o644);
    await put("open/f\\g/h.md", 0o644);
    await chown(join(samba.root, "private"), ann, root);
    await chmod(join(samba.root, "private"), 0o700);
    for (const [name, target] of Object.entries({ years: "../private/2026", all: "..", again: "." })) {
      await symlink(target, join(samba.root, "open", name));
    }
    expect(await openedBy("open/years/bonus.md")).toEqual(["ann"]);
    const readersBelow = async (path: string) => {
      const target = await sync(new MemoryTarget(), configOf({ path }));
      const refs = [...target.documents.keys()].sort();
      return Object.fromEntries(
        refs.map((ref) => [ref.replaceAll(/[A-Z0-9]+~[A-Z0-9]+/g, "~"), readersOf(target, ref)]),
      );
    };
    const everybody = ["ann", "bob", "eve"];
    expect(await readersBelow("open")).toEqual({
      "plan.md": everybody,
      "~/h.md": everybody,
      "~/~/~.TXT": everybody,
    });
    expect(await readersBelow("")).toEqual({
      "open/plan.md": everybody,
      "open/~/h.md": everybody,
      "open/~/~/~.TXT": everybody,
      "private/2026/bonus.md": ["ann"],
    });
    // Somebody may choose a link: then the folders above what it leads to count as well.
    expect(await readersBelow("open/years")).toEqual({ "bonus.md": ["ann"] });
    expect(await readersBelow("open/all/open")).toEqual(await readersBelow("open"));
  });

  it("keeps out whom “valid users” keeps out where that is entered, and says in check() that it is not told", async () => {
    samba = await startSamba(program!, { rights: "posix", settings: ["valid users = daemon games @man"] });
    const group = samba.setGroup("clerks", [samba.sidOf(sambaPeople.bob)]);
    const [readersOf, openedBy] = [await createReadersOf(), await createOpenedBy()];
    await put("plan.md", 0o644);
    expect(await openedBy("plan.md")).toEqual(["ann", "bob"]);
    const unstated = await sync(new MemoryTarget());
    expect(readersOf(unstated, "plan.md")).toEqual(["ann", "bob", "eve"]);
    const stated = configOf({ shareAdmits: [samba.sidOf(sambaPeople.ann), group] });
    expect(readersOf(await sync(new MemoryTarget(), stated), "plan.md")).toEqual(["ann", "bob"]);
    expect(readersOf(await sync(unstated, stated), "plan.md")).toEqual(["ann", "bob"]);
    expect(unstated.opened).toEqual([]);

    expect(await permissionsOf(configOf())).toMatchObject({
      status: "warning",
      message: expect.stringContaining("“valid users”"),
      action: expect.stringContaining("“Whom the share admits”"),
    });
    expect(await permissionsOf(stated)).toMatchObject({ status: "ok" });
    expect(await permissionsOf(configOf({ shareAdmitsEverybody: true }))).toMatchObject({ status: "ok" });
    // With permissions of its own that are told, “valid users” is still not.
    samba.setShareAcl([`${samba.sidOf(samba.user)}:ALLOWED/0/FULL`, `${group}:ALLOWED/0/READ`]);
    expect(await permissionsOf(configOf())).toMatchObject({ status: "warning" });
    const { checks } = await smbConnector.check(configOf({ shareAdmits: ["S-1-5-21-9-9-9-1"] }), secrets(), context);
    const message = expect.stringContaining("S-1-5-21-9-9-9-1");
    expect(checks).toContainEqual(expect.objectContaining({ status: "warning", message }));
  });

  it("says in check() that nobody gets to what lies in a folder which lets nobody through", async () => {
    samba = await startSamba(program!, { rights: "posix" });
    await put("closed/plan.md", 0o644);
    await chown(join(samba.root, "closed"), root, root);
    await chmod(join(samba.root, "closed"), 0o000);
    const permissions = (config: Partial<SmbConfig>) =>
      permissionsOf(configOf({ shareAdmitsEverybody: true, ...config }));
    expect(await permissions({})).toMatchObject({
      status: "warning",
      action: expect.stringContaining("“Rights of folders”"),
    });
    expect(await permissions({ traverse: "bypassed" })).toMatchObject({ status: "ok" });
    await chmod(join(samba.root, "closed"), 0o755);
    expect(await permissions({})).toMatchObject({ status: "ok" });
  });
});
