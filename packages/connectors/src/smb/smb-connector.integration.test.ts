import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { mayRead, principalKey } from "@anneal/core/access/acl";
import type { SourceAcl } from "@anneal/core/access/acl-origins";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions, type Who } from "../../conformance/describe-permissions.ts";
import { createFileClock } from "../../conformance/file-clock.ts";
import { longPath } from "../../conformance/long-names.ts";
import { fullControl, readAndExecute, type Ace } from "../../conformance/descriptor-bytes.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { findSamba, sambaPeople, startSamba, type Samba } from "../../conformance/start-samba.ts";
import { testPython } from "../../conformance/test-python.ts";
import { testContext } from "../../conformance/test-context.ts";
import { collectBytes } from "../content.ts";
import { smbConfigSchema, type SmbConfig } from "./config.ts";
import { smbConnector } from "./smb-connector.ts";

const program = findSamba();
const emailDomain = "example.com";
const context = testContext({ limits: { requestTimeoutMs: 10_000 } });

const inherited = 0x10;
const handedDown = 0x03;
const everyone = "S-1-1-0";

describe.skipIf(program === null)("with samba", () => {
  let samba: Samba;
  let cases = 0;
  beforeAll(async () => {
    samba = await startSamba(program!);
  });
  afterAll(() => samba.stop());

  const sidOfPerson = (person: string) => samba.sidOf(sambaPeople[person as keyof typeof sambaPeople]);
  const configOf = (config: Partial<SmbConfig> = {}) =>
    smbConfigSchema.parse({
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: samba.port,
      share: samba.share,
      user: samba.user,
      userEmailDomain: emailDomain,
      ...config,
    });
  const secrets = () => ({ password: samba.password });
  const sync = async (target: MemoryTarget, config: SmbConfig, password = samba.password) => {
    await target.apply(
      smbConnector.read({ config, secrets: { password }, cursor: target.cursor, known: target.known(), context }),
    );
    return target;
  };
  const errorOf = (config: SmbConfig, password?: string) =>
    sync(new MemoryTarget(), config, password).then(
      () => null,
      (error: unknown) => error,
    );

  /** A folder of the share for one test; its files are written on the server's disk. */
  const createFolder = async () => {
    cases += 1;
    const path = `case-${cases}`;
    const root = join(samba.root, path);
    const ownAll = async (folder: string) => {
      await samba.own(folder);
      for (const name of await readdir(folder, { recursive: true })) await samba.own(join(folder, name));
    };
    const inShare = (name: string) => `${path}\\${name.replaceAll("/", "\\")}`;
    const clock = createFileClock();
    /** The server's own disk keeps the files, so its PATH_MAX holds, long before the protocol's 32,767 characters. */
    const nameBytes = 4095 - Buffer.byteLength(`${root}/`);
    await mkdir(root);
    await samba.own(root);
    await samba.setAcl(path, [serviceEntry(), passEntry]);
    const put = async (name: string, text: string | Uint8Array) => {
      const made: string[] = [];
      for (const [index] of [...name.matchAll(/\//g)].map((match) => [match.index] as const)) {
        const folder = name.slice(0, index);
        if ((await mkdir(join(root, folder), { recursive: true })) !== undefined) made.push(folder);
      }
      const isNew = await stat(join(root, name)).then(
        () => false,
        () => true,
      );
      await writeFile(join(root, name), text);
      await clock.stamp(join(root, name));
      await ownAll(root);
      // Samba keeps lists by inode: one that was deleted on disk may have left its own behind.
      for (const path of made) await samba.setAcl(inShare(path), [serviceEntry(), passEntry]);
      if (isNew) await samba.setAcl(inShare(name), [serviceEntry()]);
    };
    return {
      path,
      root,
      inShare,
      put,
      remove: (name: string) => rm(join(root, name)),
      async breakItem(name: string) {
        await put(name, "Rinse the filter under warm water.");
        await samba.setAcl(inShare(name), [{ type: 1, sid: samba.sidOf(samba.user), mask: 1 }, serviceEntry()]);
        return async () => {
          await put(name, "Rinse the filter under cold water.");
          await samba.setAcl(inShare(name), [serviceEntry()]);
        };
      },
      async move(from: string, to: string) {
        await mkdir(dirname(join(root, to)), { recursive: true });
        await rename(join(root, from), join(root, to));
        await ownAll(root);
      },
      async moveFolder(from: string, to: string) {
        await mkdir(dirname(join(root, to)), { recursive: true });
        await rename(join(root, from), join(root, to));
        await ownAll(root);
      },
      async vanish() {
        await rename(root, `${root}-away`);
        return () => rename(`${root}-away`, root);
      },
      setClock: clock.setClock,
      names: { longest: [longPath(nameBytes), longPath(nameBytes, "mixed")] },
      close: () => rm(root, { recursive: true, force: true }),
    };
  };
  /** The account that signs in may read everything, as a backup's does. */
  const serviceEntry = (): Ace => ({ type: 0, sid: samba.sidOf(samba.user), mask: fullControl });
  /** Everybody gets to what is in a folder, and may not list it. */
  const passEntry: Ace = { type: 0, sid: everyone, mask: 0x0012_00a0 };

  describeConnector(
    "smb",
    async () => {
      const folder = await createFolder();
      const relay = await startRelay(samba.port);
      return {
        ...folder,
        connector: smbConnector,
        config: configOf({ port: relay.port, path: folder.path, permissions: "off" }),
        relay,
        lockOuts: {
          "its password is another one": async () => {
            samba.setPassword("another-password");
            return async () => samba.setPassword(samba.password);
          },
          "it is disabled": async () => {
            samba.setDisabled(true);
            return async () => samba.setDisabled(false);
          },
        },
        async close() {
          await relay.stop();
          await folder.close();
        },
        secrets: secrets(),
        refOf: (name) => name,
      };
    },
    "connection",
  );

  /** @param tenant "other": another file server, with accounts of its own under the same SIDs */
  const createPermissionHarness = async (tenant: "own" | "other" = "own") => {
    const folder = await createFolder();
    const groups = new Map<string, string>();
    const config = configOf({ path: folder.path });
    if (tenant === "other") {
      config.host = "localhost";
      config.readAccounts = false;
      config.people = Object.entries(sambaPeople).map(([person, name]) => ({ sid: sidOfPerson(person), name }));
    }
    const sidOf = (who: Who): string => {
      if (who === "anyone") return everyone;
      if ("user" in who) return sidOfPerson(who.user);
      return "group" in who ? (groups.get(who.group) ?? "") : "";
    };
    const entries = (allow: readonly Who[], deny: readonly Who[] = [], flags = 0): Ace[] => [
      ...deny.map((who) => ({ type: 1, sid: sidOf(who), flags })),
      { ...serviceEntry(), flags },
      ...allow.map((who) => ({ type: 0, sid: sidOf(who), flags })),
    ];
    const shared = new Map<string, readonly Who[]>();
    /** What Windows does when a folder's list changes, or something is dragged into it: it writes the list below. */
    const handDown = async (name: string) => {
      const above = [...shared].find(([of]) => name.startsWith(`${of}/`));
      if (above) await samba.setAcl(folder.inShare(name), entries(above[1], [], inherited));
    };
    return {
      ...folder,
      connector: smbConnector,
      config,
      secrets: secrets(),
      refOf: (name: string) => name,
      emailOf: (person: string) => `${sambaPeople[person as keyof typeof sambaPeople]}@${emailDomain}`,
      async move(from: string, to: string) {
        await folder.move(from, to);
        await handDown(to);
      },
      async setGroup(group: string, members: readonly string[]) {
        const sids = members.map((member) =>
          member.startsWith("group:") ? groups.get(member.slice("group:".length))! : sidOfPerson(member),
        );
        groups.set(group, samba.sidOfGroup(group));
        if (tenant === "own") samba.setGroup(group, sids);
        else config.groups = [...config.groups, { sid: samba.sidOfGroup(group), name: group, members: sids }];
      },
      share: (name: string, allow: readonly Who[], deny?: readonly Who[]) =>
        samba.setAcl(folder.inShare(name), entries(allow, deny)),
      movedKeepsReaders: true,
      async shareFolder(name: string, allow: readonly Who[]) {
        shared.set(name, allow);
        const ofFolder = (flags: number) => [
          ...entries(allow, [], flags).map((ace) => ({ mask: readAndExecute, ...ace })),
          passEntry,
        ];
        await samba.setAcl(folder.inShare(name), ofFolder(handedDown));
        for (const below of await readdir(join(folder.root, name), { recursive: true })) {
          const isFile = (await stat(join(folder.root, name, below))).isFile();
          const aces = isFile ? entries(allow, [], inherited) : ofFolder(inherited | handedDown);
          await samba.setAcl(folder.inShare(`${name}/${below}`), aces);
        }
      },
      refuseUntold: (name: string) =>
        samba.setAcl(folder.inShare(name), [{ type: 1, sid: samba.sidOfGroup("untold") }, ...entries(["anyone"])]),
      async breakPermissions(name: string) {
        // Without READ_CONTROL, for the owner too: S-1-3-4 takes away what an owner has by being one.
        const mask = 0x0004_0081;
        await samba.setAcl(folder.inShare(name), [
          { type: 0, sid: "S-1-3-4", mask },
          { type: 0, sid: samba.sidOf(samba.user), mask },
          { type: 0, sid: sidOfPerson("ann") },
        ]);
        return () => samba.setAcl(folder.inShare(name), entries([{ user: "ann" }]));
      },
      supports: { groups: true, nestedGroups: true, deny: true, domain: false, anyone: true },
    };
  };
  describePermissions("smb", createPermissionHarness, () => createPermissionHarness("other"));

  it("reads people and groups from the server, and takes further ones from the configuration", async () => {
    const sid = samba.setGroup("auditors", [sidOfPerson("bob")]);
    const config = configOf({
      // The same server under another name stands in for a domain controller.
      accountsHost: "localhost",
      people: [{ sid: "S-1-5-21-9-9-9-1104", name: "Zoe" }],
      groups: [{ sid: "S-1-5-21-9-9-9-1200", name: "Board", members: ["S-1-5-21-9-9-9-1104", sid] }],
    });
    const directory = await MemoryDirectory.read(smbConnector.readDirectory!({ config, secrets: secrets(), context }));
    const keyOf = (id: string) => principalKey({ source: "smb", tenant: "127.0.0.1", kind: "group", id });
    const held = (email: string) =>
      [sid, "S-1-5-21-9-9-9-1200", everyone].map((id) => directory.heldBy(email).has(keyOf(id)));
    expect(held(`man@${emailDomain}`)).toEqual([true, true, true]);
    expect(held(`zoe@${emailDomain}`)).toEqual([false, true, true]);
    expect(held(`mail@${emailDomain}`)).toEqual([false, false, true]);
    expect(held("stranger@example.com")).toEqual([false, false, false]);
  });

  it("admits nobody whom the share itself keeps out, whatever a file allows", async () => {
    const harness = await createPermissionHarness();
    try {
      await harness.put("plan.md", "A plan.");
      await harness.share("plan.md", ["anyone"]);
      await harness.setGroup("clerks", ["bob"]);
      const readersAfter = async (entries: string[], config = harness.config) => {
        samba.setShareAcl([`${samba.sidOf(samba.user)}:ALLOWED/0/FULL`, ...entries]);
        const target = await sync(new MemoryTarget(), config);
        const directory = await MemoryDirectory.read(smbConnector.readDirectory!({ ...harness, context }));
        return ["ann", "bob", "eve"].filter((person) =>
          mayRead(target.documents.get("plan.md")?.item.acl, directory.heldBy(harness.emailOf(person))),
        );
      };
      const clerks = samba.setGroup("clerks", [sidOfPerson("bob")]);
      expect(await readersAfter([`${clerks}:ALLOWED/0/READ`])).toEqual(["bob"]);
      expect(await readersAfter([`${sidOfPerson("eve")}:DENIED/0/FULL`, `${everyone}:ALLOWED/0/READ`])).toEqual([
        "ann",
        "bob",
      ]);
      const stated = { ...harness.config, shareAdmitsEverybody: true };
      expect(await readersAfter([`${clerks}:ALLOWED/0/READ`], stated)).toEqual(["ann", "bob", "eve"]);
    } finally {
      samba.setShareAcl([`${everyone}:ALLOWED/0/FULL`]);
      await harness.close();
    }
  });

  it("shows to nobody what denies somebody of whom nothing is known, in a file's list or in the share's", async () => {
    const harness = await createPermissionHarness();
    try {
      await harness.put("plan.md", "A plan.");
      const stranger = "S-1-5-21-9-9-9-1777";
      const readersOf = async (denied: string, config = harness.config) => {
        const deny = { type: 1, sid: denied };
        await samba.setAcl(harness.inShare("plan.md"), [serviceEntry(), deny, { type: 0, sid: everyone }]);
        const target = await sync(new MemoryTarget(), config);
        const request = { config, secrets: secrets(), context };
        const directory = await MemoryDirectory.read(smbConnector.readDirectory!(request));
        return ["ann", "bob", "eve"].filter((person) =>
          mayRead(target.documents.get("plan.md")?.item.acl, directory.heldBy(harness.emailOf(person))),
        );
      };
      const auditors = samba.setGroup("auditors", [sidOfPerson("eve")]);
      const untold = {
        ...harness.config,
        readAccounts: false,
        people: Object.entries(sambaPeople).map(([person, name]) => ({ sid: sidOfPerson(person), name })),
      };
      expect(await readersOf(auditors)).toEqual(["ann", "bob"]);
      expect(await readersOf(auditors, untold)).toEqual([]);
      expect(await readersOf(sidOfPerson("bob"), untold)).toEqual(["ann", "eve"]);
      // An account is no stranger once it is disabled.
      samba.setDisabled(true, sambaPeople.eve);
      expect(await readersOf(sidOfPerson("eve"))).toEqual(["ann", "bob"]);
      expect(await readersOf(auditors)).toEqual(["ann", "bob"]);
      samba.setDisabled(false, sambaPeople.eve);
      expect(await readersOf("S-1-5-7")).toEqual(["ann", "bob", "eve"]);
      expect(await readersOf(stranger)).toEqual([]);
      const { checks } = await smbConnector.check(harness.config, secrets(), context);
      expect(checks.at(-1)).toMatchObject({ status: "warning", message: expect.stringContaining(stranger) });
      const told = { ...harness.config, groups: [{ sid: stranger, name: "Board", members: [sidOfPerson("ann")] }] };
      expect(await readersOf(stranger, told)).toEqual(["bob", "eve"]);
      samba.setShareAcl([`${stranger}:DENIED/0/FULL`, `${everyone}:ALLOWED/0/FULL`]);
      expect(await readersOf(sidOfPerson("bob"))).toEqual([]);
      expect(await readersOf(sidOfPerson("bob"), told)).toEqual(["eve"]);
    } finally {
      samba.setShareAcl([`${everyone}:ALLOWED/0/FULL`]);
      await harness.close();
    }
  });

  it("tells on which folder what a document inherits was given, from the top of the share", async () => {
    const harness = await createPermissionHarness();
    const owner = samba.sidOf(samba.user);
    const to = (sid: string, flags: number, type = 0): Ace => ({ type, sid, flags });
    const [ann, bob, eve] = [sidOfPerson("ann"), sidOfPerson("bob"), sidOfPerson("eve")];
    const down = handedDown;
    const setAcl = (name: string, aces: Ace[]) => samba.setAcl(harness.inShare(name).replace(/\\$/, ""), aces);
    const originsOf = async (ref: string, config = harness.config) => {
      // Nobody but the owner gets through the top of the share here.
      const target = await sync(new MemoryTarget(), { ...config, traverse: "bypassed" });
      const acl: SourceAcl = target.documents.get(ref)?.item.acl ?? { allow: [], deny: [] };
      const told = (grants: SourceAcl["allow"]) =>
        Object.fromEntries(grants.map(({ id, inheritedFrom }) => [id, inheritedFrom]));
      return { allow: told(acl.allow), deny: told(acl.deny) };
    };
    try {
      await harness.put("Reports/2026/Q1/plan.md", "A plan.");
      // Given on the top of the share, on the folder that is read, on /Reports, on /Reports/2026, and on the file.
      const top = [to(owner, down)];
      const read = [to(everyone, down), to(owner, down | inherited)];
      const reports = [to(eve, down, 1), to(ann, down), to(everyone, down | inherited), to(owner, down | inherited)];
      const year = [to(bob, down), ...reports.map((ace) => ({ ...ace, flags: down | inherited }))];
      const quarter = year.map((ace) => ({ ...ace, flags: down | inherited }));
      await samba.setAcl("", top);
      await setAcl("", read);
      await setAcl("Reports", reports);
      await setAcl("Reports/2026", year);
      await setAcl("Reports/2026/Q1", quarter);
      const plan = quarter.map((ace) => ({ ...ace, flags: inherited }));
      await setAcl("Reports/2026/Q1/plan.md", plan);
      const path = `/${harness.path}`;
      const wanted = {
        allow: { [ann]: `${path}/Reports`, [bob]: `${path}/Reports/2026`, [everyone]: path, [owner]: "/" },
        deny: { [eve]: `${path}/Reports` },
      };
      expect(await originsOf("Reports/2026/Q1/plan.md")).toEqual(wanted);
      const deeper = { ...harness.config, path: `${harness.path}/Reports/2026/Q1` };
      expect(await originsOf("plan.md", deeper)).toEqual(wanted);
      expect(await originsOf(`${harness.path}/Reports/2026/Q1/plan.md`, { ...harness.config, path: "" })).toEqual(
        wanted,
      );
      // A denial is no grant, and what a folder has for itself alone is handed down to nothing.
      await setAcl("Reports/2026", [to(eve, down), to(ann, 0), ...year]);
      expect(await originsOf("Reports/2026/Q1/plan.md")).toEqual(wanted);
      // What no folder above hands down came with the file from elsewhere.
      await setAcl("Reports/2026/Q1", [to(owner, down)]);
      expect(await originsOf("Reports/2026/Q1/plan.md")).toEqual({
        allow: { [ann]: undefined, [bob]: undefined, [everyone]: undefined, [owner]: `${path}/Reports/2026/Q1` },
        deny: { [eve]: undefined },
      });
    } finally {
      await samba.setAcl("", [serviceEntry()]);
      await harness.close();
    }
  });

  it("keeps a revocation of a document whose new content cannot be read", async () => {
    const harness = await createPermissionHarness();
    await harness.put("plan.md", "A plan.");
    await harness.share("plan.md", [{ user: "ann" }]);
    const target = await sync(new MemoryTarget(), harness.config);
    await truncate(join(harness.root, "plan.md"), 2 * 1024 ** 3);
    await harness.share("plan.md", []);
    await sync(target, harness.config);
    expect(target.failures.map(({ error }) => error.code)).toEqual(["DOCUMENT_TOO_LARGE"]);
    const directory = await MemoryDirectory.read(smbConnector.readDirectory!({ ...harness, context }));
    const document = target.documents.get("plan.md");
    expect(document?.text).toBe("A plan.");
    expect(mayRead(document?.item.acl, directory.heldBy(harness.emailOf("ann")))).toBe(false);
    await harness.close();
  });

  it("names what is wrong: no share, no folder, a wrong password, nobody there, an address that is refused", async () => {
    const codeOf = async (config: Partial<SmbConfig>, password?: string) => {
      const { error } = await smbConnector.check(configOf(config), { password: password ?? samba.password }, context);
      expect(await errorOf(configOf(config), password)).toMatchObject({ code: error?.code });
      return error?.code;
    };
    expect(await codeOf({ share: "missing" })).toBe("SOURCE_NOT_FOUND");
    expect(await codeOf({ path: "missing/folder" })).toBe("SOURCE_NOT_FOUND");
    expect(await codeOf({ user: "stranger" })).toBe("SOURCE_CREDENTIALS");
    expect(await codeOf({}, "very-secret-value")).toBe("SOURCE_CREDENTIALS");
    expect(await codeOf({ port: 9 })).toBe("SOURCE_UNREACHABLE");
    expect(await codeOf({ host: "nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
    expect(await codeOf({ host: "169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
    expect(await codeOf({ host: "localhost", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
    const error = await errorOf(configOf(), "very-secret-value");
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("very-secret-value");
  });

  it("says what to install where Python, or the program, is missing", async () => {
    const runtimes = [null, { ...testPython, pythonPath: tmpdir() }, { ...testPython, python: "/nowhere/python" }];
    for (const python of runtimes) {
      const { error } = await smbConnector.check(configOf(), secrets(), { ...context, python });
      expect(error).toMatchObject({ code: "PREREQUISITE_MISSING", action: expect.stringContaining("ANNEAL_PYTHON") });
    }
  });

  it("says in check() how many accounts it knows, and that nobody is admitted without an e-mail domain", async () => {
    const folder = await createFolder();
    await folder.put("a.md", "a");
    const check = async (config: Partial<SmbConfig>) =>
      smbConnector.check(configOf({ path: folder.path, ...config }), secrets(), context);
    const whole = await check({ shareAdmitsEverybody: true });
    expect(whole.summary).toMatch(/holds 1 file: a\.md\.$/);
    expect(whole.checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "ok"],
      ["people and groups", "ok"],
    ]);
    expect((await check({ userEmailDomain: null })).checks.at(-1)).toMatchObject({ status: "warning" });
    await folder.close();
  });

  it("gives a large file byte for byte, and names in any script", async () => {
    const folder = await createFolder();
    const bytes = randomBytes(3 * 1024 * 1024 + 17);
    await folder.put("größe/日本語 🚚.bin", bytes);
    const config = configOf({ path: folder.path, permissions: "off" });
    const known = new MemoryTarget().known();
    const bodies: [ref: string, same: boolean][] = [];
    for await (const change of smbConnector.read({ config, secrets: secrets(), cursor: null, known, context })) {
      if (change.type !== "upsert") continue;
      const body = await collectBytes(await change.content.open(context.signal));
      bodies.push([change.item.ref, bytes.equals(body)]);
    }
    expect(bodies).toEqual([["größe/日本語 🚚.bin", true]]);
    await folder.close();
  });

  it("reads a file far down, skips what is hidden, and applies globs, exclude over include", async () => {
    const folder = await createFolder();
    const deep = `${"ö".repeat(60)}/`.repeat(12);
    for (const name of [`${deep}end.md`, "a.md", "b.txt", ".env", "drafts/c.md"]) await folder.put(name, name);
    const refs = async (config: Partial<SmbConfig>) => {
      const target = await sync(new MemoryTarget(), configOf({ path: folder.path, permissions: "off", ...config }));
      expect(target.failures).toEqual([]);
      return [...target.documents.keys()].sort();
    };
    expect(await refs({})).toEqual(["a.md", "b.txt", "drafts/c.md", `${deep}end.md`]);
    expect(await refs({ include: ["*.md"], exclude: ["drafts"] })).toEqual(["a.md", `${deep}end.md`]);
    await folder.close();
  });

  it("fails a document that changes while it is read", async () => {
    const folder = await createFolder();
    await folder.put("log.md", "x".repeat(1_000_000));
    const config = configOf({ path: folder.path, permissions: "off" });
    const known = new MemoryTarget().known();
    const outcomes: unknown[] = [];
    for await (const change of smbConnector.read({ config, secrets: secrets(), cursor: null, known, context })) {
      if (change.type !== "upsert") continue;
      const body = (await change.content.open(context.signal))[Symbol.asyncIterator]();
      await body.next();
      await writeFile(join(folder.root, "log.md"), "y".repeat(1_000_001));
      const drain = async () => {
        while (!(await body.next()).done);
      };
      outcomes.push(await drain().catch((error: unknown) => error));
    }
    expect(outcomes).toMatchObject([{ code: "CONFLICT", retryable: true }]);
    await folder.close();
  });

  it("lists a folder of more entries than one answer holds, each with its access list", async () => {
    const folder = await createFolder();
    const names = Array.from({ length: 700 }, (_, index) => `document-${index}.md`);
    for (const name of names) await writeFile(join(folder.root, name), "");
    await folder.put("last.md", "");
    // As in `put`: a file may have got the inode, and with it the list, of one that only somebody else might read.
    for (const name of names) await samba.setAcl(folder.inShare(name), [serviceEntry()]);
    const target = await sync(new MemoryTarget(), configOf({ path: folder.path }));
    expect(target.failures).toEqual([]);
    expect(target.documents.size).toBe(701);
    expect([...target.documents.values()].filter(({ item }) => (item.acl?.allow.length ?? 0) > 0).length).toBe(701);
    await folder.close();
  });
});
