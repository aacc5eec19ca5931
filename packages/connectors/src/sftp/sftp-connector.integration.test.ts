import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { mayRead } from "@anneal/core/access/acl";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describeHiddenLists } from "../../conformance/describe-hidden-lists.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { findDebianProgram } from "../../conformance/find-debian-program.ts";
import { MemoryDirectory } from "../../conformance/memory-directory.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { createPosixFiles, emailDomain, mayGiveAway, namesBelow } from "../../conformance/posix-files.ts";
import { startRelay } from "../../conformance/start-relay.ts";
import { findSshd, maySetPassword, startSshd, type Sshd } from "../../conformance/start-sshd.ts";
import { testContext } from "../../conformance/test-context.ts";
import { collectBytes } from "../content.ts";
import { defaultLimits } from "../connector.ts";
import { sftpConfigSchema, type SftpConfig, type SftpSecrets } from "./config.ts";
import { sftpConnector } from "./sftp-connector.ts";
import { remoteContent } from "./sftp-content.ts";
import { openSftp } from "./sftp-session.ts";

const program = findSshd();

const context = testContext({ limits: { requestTimeoutMs: 10_000 } });

describe.skipIf(program === null)("with OpenSSH", () => {
  let everything: Sshd;
  let limited: Sshd;
  beforeAll(async () => {
    everything = await startSshd(program!, { readsAll: true });
    limited = await startSshd(program!);
  });
  afterAll(async () => {
    await everything.stop();
    await limited.stop();
  });

  const configOf = (sshd: Sshd, path: string, config: Partial<SftpConfig> = {}) =>
    sftpConfigSchema.parse({
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: sshd.port,
      user: sshd.user,
      hostKeys: [sshd.hostKey],
      path,
      ...config,
    });
  const secretsOf = (sshd: Sshd): SftpSecrets => ({ privateKey: sshd.privateKey });

  describeConnector(
    "sftp",
    async () => {
      const files = await createPosixFiles();
      const relay = await startRelay(everything.port);
      return {
        ...files,
        connector: sftpConnector,
        config: configOf(everything, files.root, { port: relay.port }),
        relay,
        lockOuts: { "its key was removed": () => everything.removeKey() },
        async close() {
          await relay.stop();
          await files.close();
        },
        secrets: secretsOf(everything),
        refOf: (name) => name,
        // One byte more, and OpenSSH's server leaves a file out of its listing, although the system would take it.
        names: namesBelow(files.root, 4094),
      };
    },
    "connection",
  );

  describe.skipIf(!mayGiveAway())("with owners and rights", () => {
    const createHarness = async () => {
      const { passwdPath, groupPath, ...files } = await createPosixFiles();
      return {
        ...files,
        connector: sftpConnector,
        config: configOf(everything, files.root, {
          permissions: "posix",
          hiddenAccessLists: "none",
          userEmailDomain: emailDomain,
          passwdPath,
          groupPath,
        }),
        secrets: secretsOf(everything),
        refOf: (name: string) => name,
        emailOf: (person: string) => `${person}@${emailDomain}`,
        supports: { groups: true, nestedGroups: false, deny: true, domain: false, anyone: true },
      };
    };
    describePermissions("sftp", createHarness, createHarness);
    describeHiddenLists(createHarness, findDebianProgram("acl", "bin/getfacl"));

    it("admits through a group's folder only that group, although everybody may read the file in it", async () => {
      const harness = await createHarness();
      try {
        await harness.setGroup("finance", ["ann"]);
        await harness.setGroup("board", ["bob"]);
        await harness.put("finance/plan.md", "A plan.");
        await harness.put("finance/board/minutes.md", "Minutes.");
        await harness.shareFolder("finance", [{ group: "finance" }]);
        await harness.shareFolder("finance/board", [{ group: "board" }]);
        const target = await sync(new MemoryTarget(), harness.config, harness.secrets);
        const directory = await MemoryDirectory.read(sftpConnector.readDirectory!({ ...harness, context }));
        const readers = (ref: string) =>
          ["ann", "bob", "eve"].filter((person) =>
            mayRead(target.documents.get(ref)?.item.acl, directory.heldBy(`${person}@${emailDomain}`)),
          );
        expect(readers("finance/plan.md")).toEqual(["ann"]);
        // Both groups at once has no form in an ACL: rather nobody than somebody too many.
        expect(readers("finance/board/minutes.md")).toEqual([]);
        const aclOf = (ref: string) => target.documents.get(ref)!.item.acl!;
        const folder = `${harness.root}/finance`;
        const closed = (ref: string) =>
          aclOf(ref).closed?.map(({ container, to }) => [container, to.map(({ id }) => id)]);
        expect(closed("finance/plan.md")).toEqual([[folder, ["others"]]]);
        expect(aclOf("finance/plan.md").allow).toContainEqual(
          expect.objectContaining({ id: "3001", inheritedFrom: folder }),
        );
        expect(closed("finance/board/minutes.md")).toEqual([
          [folder, ["others"]],
          [`${folder}/board`, ["3001"]],
        ]);
      } finally {
        await harness.close();
      }
    });

    it("tells once which folder closes a document, where only that is another one now", async () => {
      const harness = await createHarness();
      try {
        await harness.put("finance/2027/plan.md", "A plan.");
        await harness.share("finance/2027/plan.md", ["anyone"]);
        await harness.shareFolder("finance", ["anyone"]);
        await harness.shareFolder("finance/2027", [{ user: "ann" }]);
        const target = await sync(new MemoryTarget(), harness.config, harness.secrets);
        const containers = () =>
          target.documents.get("finance/2027/plan.md")!.item.acl!.closed?.map(({ container }) => container);
        expect(containers()).toEqual([`${harness.root}/finance/2027`]);
        await harness.shareFolder("finance", [{ user: "ann" }]);
        await sync(target, harness.config, harness.secrets);
        expect(containers()).toEqual([`${harness.root}/finance`]);
        await sync(target, harness.config, harness.secrets);
        expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
      } finally {
        await harness.close();
      }
    });

    it("keeps a revocation of a document whose new content cannot be read", async () => {
      const harness = await createHarness();
      try {
        await harness.put("plan.md", "A plan.");
        await harness.share("plan.md", [{ user: "ann" }]);
        const target = await sync(new MemoryTarget(), harness.config, harness.secrets);
        await harness.breakItem("plan.md");
        await harness.share("plan.md", []);
        await sync(target, harness.config, harness.secrets);
        expect(target.failures.map(({ error }) => error.code)).toEqual(["DOCUMENT_TOO_LARGE"]);
        const document = target.documents.get("plan.md");
        expect(document?.text).toBe("A plan.");
        // What is left is the owner, root.
        expect(document?.item.acl?.allow.map(({ id }) => id)).toEqual(["0"]);
      } finally {
        await harness.close();
      }
    });

    it("says in check() what is missing for people to be admitted", async () => {
      const harness = await createHarness();
      try {
        const check = (config: Partial<SftpConfig>) =>
          sftpConnector.check({ ...harness.config, ...config }, harness.secrets, context);
        const permissions = async (config: Partial<SftpConfig>) =>
          (await check(config)).checks.find(({ capability }) => capability === "permissions");
        await harness.put("a.md", "a");
        await harness.share("a.md", [{ user: "ann" }]);
        expect(await permissions({})).toMatchObject({
          status: "ok",
          message: expect.stringContaining("4 accounts, 3 of which are people"),
        });
        expect(await permissions({ firstPersonId: 5000 })).toMatchObject({ status: "warning" });
        await harness.share("a.md", []);
        expect(await permissions({})).toMatchObject({
          status: "warning",
          message: expect.stringContaining("The first file is not for any of these people"),
        });
        expect(await permissions({ userEmailDomain: null })).toMatchObject({ status: "warning" });
        expect(await permissions({ passwdPath: "/nowhere/passwd" })).toMatchObject({
          status: "missing",
          message: expect.stringContaining('"/nowhere/passwd"'),
        });
        const config = { ...harness.config, passwdPath: "/nowhere/passwd" };
        expect((await check(config)).error).toMatchObject({ code: "SOURCE_NOT_FOUND" });
        expect(await errorOf(config, harness.secrets)).toMatchObject({ code: "SOURCE_NOT_FOUND" });
      } finally {
        await harness.close();
      }
    });
  });

  let base: string;
  beforeEach(async () => {
    base = await mkdtemp(join(tmpdir(), "anneal-sftp-"));
    await chmod(base, 0o755);
  });
  afterEach(() => rm(base, { recursive: true, force: true }));
  const write = async (name: string, text: string | Uint8Array) => {
    await mkdir(dirname(join(base, name)), { recursive: true });
    await writeFile(join(base, name), text);
  };
  const sync = async (target: MemoryTarget, config: SftpConfig, secrets: SftpSecrets) => {
    await target.apply(sftpConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context }));
    return target;
  };
  const syncBase = (target: MemoryTarget, config: Partial<SftpConfig> = {}, sshd = limited) =>
    sync(target, configOf(sshd, base, config), secretsOf(sshd));
  const errorOf = (config: SftpConfig, secrets: SftpSecrets) =>
    sync(new MemoryTarget(), config, secrets).then(
      () => null,
      (error: unknown) => error,
    );

  it("shows an unknown host key and signs in nowhere, in check and in a run", async () => {
    const config = configOf(limited, base, { hostKeys: [] });
    const { error } = await sftpConnector.check(config, secretsOf(limited), context);
    expect(error).toMatchObject({ code: "INVALID_INPUT", details: { hostKey: limited.hostKey } });
    expect(error?.message).toContain(limited.hostKey);
    expect(await errorOf(config, secretsOf(limited))).toMatchObject({ code: "INVALID_INPUT" });
  });

  it("refuses a server whose host key is another one", async () => {
    const config = configOf(limited, base, { hostKeys: [everything.hostKey] });
    expect((await sftpConnector.check(config, secretsOf(limited), context)).error).toMatchObject({
      code: "SOURCE_FORBIDDEN",
      details: { code: "HOST_KEY_CHANGED", hostKey: limited.hostKey },
    });
    expect(await errorOf(config, secretsOf(limited))).toMatchObject({ code: "SOURCE_FORBIDDEN" });
  });

  it("tells a refused sign-in from a key that is none, and never repeats a secret", async () => {
    const config = configOf(limited, base);
    const secrets = [
      { password: "very-secret-value" },
      { privateKey: everything.privateKey },
      { privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nvery-secret-value\n-----END OPENSSH PRIVATE KEY-----" },
      {},
    ];
    for (const secret of secrets) {
      const error = await errorOf(config, secret);
      expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("very-secret-value");
    }
  });

  it.skipIf(!maySetPassword())("signs in by password, and not by another one", async () => {
    const sshd = await startSshd(program!, { password: "very-secret-value" });
    try {
      await write("a.md", "a");
      const config = configOf(sshd, base);
      expect((await sync(new MemoryTarget(), config, { password: "very-secret-value" })).contents()).toEqual({
        "a.md": "a",
      });
      const error = await errorOf(config, { password: "very-secret-valu" });
      expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("very-secret");
    } finally {
      await sshd.stop();
    }
  });

  it("names what is wrong: nobody there, no SSH, a private or a metadata address, a path that is missing or a file", async () => {
    await write("a.md", "a");
    const checkCode = async (config: Partial<SftpConfig>) =>
      (await sftpConnector.check(configOf(limited, base, config), secretsOf(limited), context)).error?.code;
    expect(await checkCode({ port: 9 })).toBe("SOURCE_UNREACHABLE");
    expect(await checkCode({ host: "nowhere.invalid" })).toBe("SOURCE_UNREACHABLE");
    expect(await checkCode({ host: "169.254.169.254" })).toBe("SOURCE_FORBIDDEN");
    expect(await checkCode({ allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
    expect(await checkCode({ host: "localhost", allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
    expect(await checkCode({ path: `${base}/missing` })).toBe("SOURCE_NOT_FOUND");
    expect(await checkCode({ path: `${base}/a.md` })).toBe("INVALID_INPUT");
    expect(await checkCode({})).toBeUndefined();
  });

  it("follows links only to files inside the root, and never a link to a folder", async () => {
    await write("in/.data/mounted.md", "mounted");
    await write("outside.md", "secret");
    await symlink(".data/mounted.md", join(base, "in/linked.md"));
    await symlink("../outside.md", join(base, "in/escape.md"));
    await symlink("..", join(base, "in/parent"));
    await symlink(".", join(base, "in/loop"));
    await symlink("nowhere", join(base, "in/dangling.md"));
    for (const name of ["in/queue", "in/.queue"]) spawnSync("mkfifo", [join(base, name)]);
    await write("in/old/b.md", "excluded");
    await write("in/c.txt", "not included");
    const filter = { include: ["*.md", "parent", "loop", "queue"], exclude: ["old"] };
    const target = await syncBase(new MemoryTarget(), { path: join(base, "in"), ...filter });
    expect(target.contents()).toEqual({ "linked.md": "mounted" });
    expect(target.failures).toEqual([]);
    const leftOut = { link: 4, pipe: 1, excluded: 2 };
    expect(target.changes.at(-1)).toMatchObject({ scanned: 1, total: 1, leftOut });
  });

  it("refuses a file whose folder became a link to the outside after it was listed", async () => {
    await write("in/sub/a.md", "ours");
    await write("out/a.md", "secret");
    const target = new MemoryTarget();
    const config = configOf(limited, join(base, "in"));
    const request = { config, secrets: secretsOf(limited), cursor: null, known: target.known(), context };
    const opened: unknown[] = [];
    for await (const change of sftpConnector.read(request)) {
      if (change.type !== "upsert") continue;
      await rm(join(base, "in/sub"), { recursive: true });
      await symlink(join(base, "out"), join(base, "in/sub"));
      opened.push(await change.content.open(context.signal).catch((error: unknown) => error));
    }
    expect(opened).toMatchObject([{ code: "SOURCE_FORBIDDEN" }]);
  });

  it("shows to nobody what lies in a folder that was closed to its account too, until that lists it again", async () => {
    await write("hr/dismissals.md", "names");
    await write("open.md", "open");
    await chmod(join(base, "hr"), 0o755);
    const readers = (target: MemoryTarget, ref: string) => target.documents.get(ref)?.item.acl?.allow.length;
    const reading = { permissions: "posix", hiddenAccessLists: "none" } as const;
    const target = await syncBase(new MemoryTarget(), reading);
    expect(readers(target, "hr/dismissals.md")).toBeGreaterThan(0);
    await chmod(join(base, "hr"), 0o700);
    await syncBase(target, reading);
    await chmod(join(base, "hr"), 0o755);
    expect(readers(target, "hr/dismissals.md")).toBe(0);
    expect(readers(target, "open.md")).toBeGreaterThan(0);
    await syncBase(target, reading);
    expect(readers(target, "hr/dismissals.md")).toBeGreaterThan(0);
    expect(target.opened).toEqual([]);
  });

  it("reports a file and a folder that may not be read, reads the rest, and keeps the folder's children", async () => {
    for (const name of ["shut/a.md", "b.md", "c.md"]) await write(name, name);
    const target = await syncBase(new MemoryTarget());
    await chmod(join(base, "shut"), 0o000);
    await write("b.md", "another text");
    await chmod(join(base, "b.md"), 0o000);
    await rm(join(base, "c.md"));
    await write("d.md", "d.md");
    await syncBase(target);
    await chmod(join(base, "shut"), 0o755);
    expect(target.failures.map(({ ref, error }) => [ref, error.code]).sort()).toEqual([
      ["b.md", "SOURCE_FORBIDDEN"],
      ["shut/", "SOURCE_FORBIDDEN"],
    ]);
    expect(target.contents()).toEqual({ "b.md": "b.md", "d.md": "d.md", "shut/a.md": "shut/a.md" });
  });

  it("says in check() that the account may read nothing of what lies there", async () => {
    await write("b.md", "b");
    await chmod(join(base, "b.md"), 0o000);
    const { error } = await sftpConnector.check(configOf(limited, base), secretsOf(limited), context);
    expect(error).toMatchObject({
      code: "SOURCE_FORBIDDEN",
      action: expect.stringContaining("Give that user read permission"),
    });
    await write("c.md", "c");
    const { summary, checks } = await sftpConnector.check(configOf(limited, base), secretsOf(limited), context);
    expect(summary).toMatch(/holds 1 file: c\.md\.$/);
    expect(checks[0]?.status).toBe("warning");
  });

  it("gives a large file byte for byte", async () => {
    const bytes = randomBytes(3 * 1024 * 1024 + 17);
    await write("large.bin", bytes);
    const known = new MemoryTarget().known();
    const request = { config: configOf(limited, base), secrets: secretsOf(limited), cursor: null, known, context };
    const bodies: Uint8Array[] = [];
    for await (const change of sftpConnector.read(request)) {
      if (change.type === "upsert") bodies.push(await collectBytes(await change.content.open(context.signal)));
    }
    expect(bodies.map((body) => bytes.equals(body))).toEqual([true]);
  });

  it("reads a file whose path is as long as the system allows, and names that look like something else", async () => {
    const folder = `${"ö".repeat(100)}/`.repeat(18);
    const names = [`${folder}end.md`, "a\\b.md", "percent%20 #?.md", "line\nbreak.md"];
    for (const name of names) await write(name, "text");
    const target = await syncBase(new MemoryTarget());
    expect(target.failures).toEqual([]);
    expect([...target.documents.keys()].sort()).toEqual([...names].sort());
    expect(target.documents.get("percent%20 #?.md")?.item.uri).toMatch(/\/percent%2520%20%23%3F\.md$/);
  });

  it("fails a document that changes while it is read", async () => {
    await write("log.md", "x".repeat(3_000_000));
    const known = new MemoryTarget().known();
    const request = { config: configOf(limited, base), secrets: secretsOf(limited), cursor: null, known, context };
    const outcomes: unknown[] = [];
    for await (const change of sftpConnector.read(request)) {
      if (change.type !== "upsert") continue;
      const body = (await change.content.open(context.signal))[Symbol.asyncIterator]();
      await body.next();
      await utimes(join(base, "log.md"), 1000, 1000);
      const drain = async () => {
        while (!(await body.next()).done);
      };
      outcomes.push(await drain().catch((error: unknown) => error));
    }
    expect(outcomes).toMatchObject([{ code: "CONFLICT", retryable: true }]);
  });

  it("ends with the lost connection, and deletes nothing, when the server goes away during a run", async () => {
    for (let index = 0; index < 300; index += 1) await write(`${index}.md`, `${index}`);
    const target = await syncBase(new MemoryTarget());
    expect(target.documents.size).toBe(300);
    const line = await startLine(limited.port);
    try {
      const config = configOf(limited, base, { port: line.port });
      const stream = sftpConnector.read({
        config,
        secrets: secretsOf(limited),
        cursor: null,
        known: target.known(),
        context,
      });
      const types: string[] = [];
      const run = async () => {
        for await (const change of stream) {
          types.push(change.type);
          line.cut();
        }
      };
      await expect(run()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
      expect(types).toEqual(["checkpoint"]);
    } finally {
      await line.close();
    }
  });

  it("fails at most the document that is read when the connection breaks off, and reads each once in the end", async () => {
    for (let index = 0; index < 300; index += 1) await write(`${index}.md`, `${index} `.repeat(1000));
    const whole = (await syncBase(new MemoryTarget())).contents();
    const line = await startLine(limited.port);
    try {
      const target = new MemoryTarget();
      const config = configOf(limited, base, { port: line.port });
      const request = { config, secrets: secretsOf(limited), cursor: null, known: target.known(), context };
      const cutting = async function* () {
        let count = 0;
        for await (const change of sftpConnector.read(request)) {
          if (++count === 100) line.cut();
          yield change;
        }
      };
      await expect(target.apply(cutting())).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
      expect(target.documents.size).toBeGreaterThanOrEqual(99);
      expect(target.failures.length).toBeLessThanOrEqual(1);
      const before = new Set(target.documents.keys());
      await syncBase(target);
      expect(target.failures).toEqual([]);
      expect(target.contents()).toEqual(whole);
      expect(target.opened.filter((ref) => before.has(ref))).toEqual([]);
    } finally {
      await line.close();
    }
  });

  it("gives a file whole before what was opened after it, however many are read at once", async () => {
    for (const name of ["a.bin", "b.bin"]) await write(name, randomBytes(5_000_000));
    const session = await openSftp(configOf(limited, base), secretsOf(limited), context);
    try {
      const [first, second] = await Promise.all(
        ["a.bin", "b.bin"].map((name) =>
          remoteContent(session, base, join(base, name), 10_000_000).open(context.signal),
        ),
      );
      let ofSecond = 0;
      const readSecond = async () => {
        for await (const bytes of second!) ofSecond += bytes.byteLength;
      };
      const reading = readSecond();
      await collectBytes(first!);
      expect(ofSecond).toBeLessThan(5_000_000 / 2);
      await reading;
      expect(ofSecond).toBe(5_000_000);
    } finally {
      await session.close();
    }
  });

  it("does not wait for ever for a server that stops answering", async () => {
    for (let index = 0; index < 300; index += 1) await write(`${index}.md`, `${index}`);
    const line = await startLine(limited.port);
    try {
      const known = new MemoryTarget().known();
      const stream = sftpConnector.read({
        config: configOf(limited, base, { port: line.port }),
        secrets: secretsOf(limited),
        cursor: null,
        known,
        context: { ...context, limits: { ...defaultLimits, requestTimeoutMs: 1000 } },
      });
      const run = async () => {
        for await (const _ of stream) line.hold();
      };
      await expect(run()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", details: { code: "TIMEOUT" } });
    } finally {
      await line.close();
    }
  });

  it("skips hidden names and applies globs, exclude over include", async () => {
    for (const name of ["a.md", "b.txt", ".env", "drafts/c.md", "deep/d.md"]) await write(name, name);
    const refs = async (config: Partial<SftpConfig>) =>
      [...(await syncBase(new MemoryTarget(), config)).documents.keys()].sort();
    expect(await refs({})).toEqual(["a.md", "b.txt", "deep/d.md", "drafts/c.md"]);
    expect(await refs({ include: ["*.md"], exclude: ["drafts"] })).toEqual(["a.md", "deep/d.md"]);
  });
});

/** A line to a server that can be cut, or hold back what is said on it. */
async function startLine(
  serverPort: number,
): Promise<{ port: number; cut(): void; hold(): void; close(): Promise<void> }> {
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ host: "127.0.0.1", port: serverPort });
    for (const end of [near, far]) {
      ends.add(end);
      end.on("error", () => {}).on("close", () => (near.destroy(), far.destroy()));
    }
    near.pipe(far);
    far.pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const cut = () => {
    for (const end of ends) end.destroy();
  };
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    cut,
    hold() {
      for (const end of ends) end.unpipe().pause();
    },
    async close() {
      cut();
      server.close();
      await once(server, "close");
    },
  };
}
