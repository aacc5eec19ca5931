import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  link,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { createFileClock } from "../../conformance/file-clock.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { namesBelow } from "../../conformance/posix-files.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { CheckResult } from "../connector.ts";
import { fileConfigSchema } from "./config.ts";
import { fileConnector } from "./file-connector.ts";

describeConnector("file", async () => {
  const base = await mkdtemp(join(tmpdir(), "anneal-file-"));
  const root = join(base, "documents");
  await mkdir(root);
  const clock = createFileClock();
  const put = async (name: string, text: string) => {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
    await clock.stamp(join(root, name));
  };
  return {
    connector: fileConnector,
    config: fileConfigSchema.parse({ path: root }),
    secrets: {},
    refOf: (name) => name,
    put,
    remove: (name) => rm(join(root, name)),
    move: (from, to) => rename(join(root, from), join(root, to)),
    async moveFolder(from, to) {
      await mkdir(dirname(join(root, to)), { recursive: true });
      await rename(join(root, from), join(root, to));
    },
    async breakItem(name) {
      // Root may read everything, so permissions cannot break a file here; a sparse giant can.
      await truncate(join(root, name), 2 * 1024 ** 3);
      return () => put(name, "Rinse the filter under cold water.");
    },
    async vanish() {
      await rename(root, `${root}-away`);
      return () => rename(`${root}-away`, root);
    },
    setClock: clock.setClock,
    names: namesBelow(root),
    close: () => rm(base, { recursive: true, force: true }),
  };
});

describe("fileConnector", () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "anneal-file-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const context = testContext();
  const sync = async (target: MemoryTarget, config: Record<string, unknown> = {}, path = root) => {
    await target.apply(
      fileConnector.read({
        config: fileConfigSchema.parse({ path, ...config }),
        secrets: {},
        cursor: target.cursor,
        known: target.known(),
        context,
      }),
    );
    return target;
  };
  const refs = (target: MemoryTarget) => [...target.documents.keys()].sort();

  it("follows links only to files inside the root, and never a link to a folder", async () => {
    await mkdir(join(root, "in/.data"), { recursive: true });
    await writeFile(join(root, "in/.data/mounted.md"), "mounted");
    await writeFile(join(root, "outside.md"), "secret");
    await symlink(".data/mounted.md", join(root, "in/linked.md"));
    await symlink("../outside.md", join(root, "in/escape.md"));
    await symlink("..", join(root, "in/parent"));
    await symlink(".", join(root, "in/loop"));
    await symlink("nowhere", join(root, "in/dangling.md"));
    const target = await sync(new MemoryTarget(), {}, join(root, "in"));
    expect(target.contents()).toEqual({ "linked.md": "mounted" });
  });

  it("counts what it leaves out by why, as no document and no failure", async () => {
    await writeFile(join(root, "a.md"), "a");
    await symlink("a.md", join(root, "same.md"));
    await symlink("..", join(root, "parent"));
    await symlink("nowhere", join(root, "dangling.md"));
    await symlink("nowhere", join(root, "excluded.tmp"));
    for (const name of ["queue", ".queue", "queue.tmp"]) spawnSync("mkfifo", [join(root, name)]);
    const server = createServer().listen(join(root, "socket"));
    await once(server, "listening");
    try {
      // What is excluded is not looked at: a link and a pipe among it.
      const leftOut = { link: 2, pipe: 1, socket: 1, excluded: 2, dotted: 1 };
      const target = await sync(new MemoryTarget(), { exclude: ["*.tmp"] });
      expect(refs(target)).toEqual(["a.md", "same.md"]);
      expect(target.failures).toEqual([]);
      expect(target.changes.at(-1)).toMatchObject({ type: "checkpoint", scanned: 2, total: 2, leftOut });
      // A later sync lists them again, and reads nothing.
      await sync(target, { exclude: ["*.tmp"] });
      expect(target.changes).toMatchObject([{ type: "checkpoint", leftOut }]);
      await sync(target, { include: ["*.md"] });
      expect(target.changes.at(-1)).toHaveProperty("leftOut", { link: 1, excluded: 5, dotted: 1 });
    } finally {
      server.close();
    }
  });

  it("counts a folder that is excluded once, and neither lists nor counts what lies in it", async () => {
    for (const name of ["a.md", "old/b.md", "old/c.md", "new/d.md", "new/e.txt"]) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), name);
    }
    const target = await sync(new MemoryTarget(), { include: ["*.md"], exclude: ["old"] });
    expect(refs(target)).toEqual(["a.md", "new/d.md"]);
    expect(target.changes.at(-1)).toHaveProperty("leftOut", { excluded: 2 });
  });

  it("counts the files of a first sync that are asked for, and once where it is resumed", async () => {
    for (const folder of ["a", "a/below", "b", "left-out"]) {
      await mkdir(join(root, folder), { recursive: true });
      for (let index = 0; index < 110; index += 1) await writeFile(join(root, folder, `${index}.md`), `${index}`);
    }
    const config = { exclude: ["left-out/**"] };
    const target = await sync(new MemoryTarget(), config);
    expect(progressOf(target).map(({ total }) => total)).toEqual([330]);
    await sync(target, config);
    expect(progressOf(target).map(({ total }) => total)).toEqual([null]);

    const resumed = new MemoryTarget();
    const request = { config: fileConfigSchema.parse({ path: root, ...config }), secrets: {}, context };
    const stream = fileConnector.read({ ...request, cursor: null, known: resumed.known() });
    const at = 200;
    expect(await resumed.apply(stream, { at, write: "done" })).toBe("killed");
    expect(resumed.changes.at(-1)?.type).toBe("checkpoint");
    // What came since was not counted.
    await writeFile(join(root, "b/late.md"), "late");
    await sync(resumed, config);
    expect(progressOf(resumed).map(({ total }) => total)).toEqual([330]);
    expect(resumed.documents.size).toBe(331);
  });

  it("refuses a file whose folder became a link to the outside after it was listed", async () => {
    await mkdir(join(root, "in/sub"), { recursive: true });
    await mkdir(join(root, "out"));
    await writeFile(join(root, "in/sub/a.md"), "ours");
    await writeFile(join(root, "out/a.md"), "secret");
    const target = new MemoryTarget();
    const stream = fileConnector.read({
      config: fileConfigSchema.parse({ path: join(root, "in") }),
      secrets: {},
      cursor: null,
      known: target.known(),
      context,
    });
    for await (const change of stream) {
      if (change.type !== "upsert") continue;
      await rm(join(root, "in/sub"), { recursive: true });
      await symlink(join(root, "out"), join(root, "in/sub"));
      await expect(change.content.open(context.signal)).rejects.toMatchObject({
        code: "SOURCE_FORBIDDEN",
      });
      return;
    }
    expect.unreachable();
  });

  describe("where the platform keeps its own state", () => {
    const readAll = async (path: string, target = new MemoryTarget()) => {
      await target.apply(
        fileConnector.read({
          config: fileConfigSchema.parse({ path }),
          secrets: {},
          cursor: target.cursor,
          known: target.known(),
          context: own(),
        }),
      );
      return target;
    };
    const own = () => testContext({ ownFolders: [join(root, "named"), join(root, "nowhere")] });
    const check = (path: string) => fileConnector.check(fileConfigSchema.parse({ path }), {}, own());
    beforeEach(async () => {
      await mkdir(join(root, "srv/state/objects"), { recursive: true });
      await writeFile(join(root, "srv/state/secrets.json"), "a key");
      await writeFile(join(root, "srv/state/objects/a.md"), "of another workspace");
      await mkdir(join(root, "srv/state-of-affairs"));
      await writeFile(join(root, "srv/state-of-affairs/a.md"), "ours");
      // The settings of the worker name it by a link.
      await symlink("srv/state", join(root, "named"));
    });

    it("refuses that folder, what lies in it and links to either, also one that is made later", async () => {
      await symlink("srv/state/objects", join(root, "linked"));
      for (const path of ["srv/state", "srv/state/objects", "named", "linked", "srv/state-of-affairs/../state"]) {
        const place = join(root, path);
        const refusal = {
          code: "SOURCE_FORBIDDEN",
          message: expect.stringContaining(`"${place}" is where the platform`),
        };
        expect((await check(place)).error, path).toMatchObject(refusal);
        await expect(readAll(place), path).rejects.toMatchObject(refusal);
      }
      const place = join(root, "moving");
      await symlink("srv/state-of-affairs", place);
      expect((await readAll(place)).contents()).toEqual({ "a.md": "ours" });
      await rm(place);
      await symlink("srv/state", place);
      await expect(readAll(place)).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
    });

    it("refuses what shows processes and devices", async () => {
      await symlink("/proc/self", join(root, "process"));
      for (const path of ["/proc", "/proc/self/", "/sys", "/sys/kernel", "/dev", join(root, "process")]) {
        const refusal = { code: "SOURCE_FORBIDDEN", message: expect.stringContaining("secrets of programs") };
        expect((await check(path)).error, path).toMatchObject(refusal);
        await expect(readAll(path), path).rejects.toMatchObject(refusal);
      }
    });

    it("leaves that folder out of what lies around it, whatever leads there, and says so", async () => {
      await symlink("../state/secrets.json", join(root, "srv/state-of-affairs/secrets.json"));
      const srv = join(root, "srv");
      expect((await readAll(srv)).contents()).toEqual({ "state-of-affairs/a.md": "ours" });
      const { checks, summary } = await check(srv);
      const without = `(without "${join(srv, "state")}", which no source may read)`;
      expect(checks[0]).toMatchObject({ status: "ok", message: `"${srv}" can be listed ${without}.` });
      expect(summary).toBe(`"${srv}" can be read ${without} and holds 1 file: state-of-affairs/a.md.`);
    });

    it("opens nothing in it, where a folder became a link to it after it was listed", async () => {
      const target = new MemoryTarget();
      const stream = fileConnector.read({
        config: fileConfigSchema.parse({ path: join(root, "srv") }),
        secrets: {},
        cursor: null,
        known: target.known(),
        context: own(),
      });
      for await (const change of stream) {
        if (change.type !== "upsert") continue;
        await rm(join(root, "srv/state-of-affairs"), { recursive: true });
        await symlink("state/objects", join(root, "srv/state-of-affairs"));
        await expect(change.content.open(context.signal)).rejects.toMatchObject({ code: "SOURCE_FORBIDDEN" });
        return;
      }
      expect.unreachable();
    });

    it("deletes what a source read of it before it was closed", async () => {
      const target = await sync(new MemoryTarget(), {}, join(root, "srv"));
      expect(refs(target)).toContain("state/objects/a.md");
      expect(refs(await readAll(join(root, "srv"), target))).toEqual(["state-of-affairs/a.md"]);
    });
  });

  it("skips hidden names and applies globs, exclude over include", async () => {
    for (const name of ["a.md", "b.txt", ".env", "drafts/c.md", "deep/d.md"]) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), name);
    }
    expect(refs(await sync(new MemoryTarget()))).toEqual(["a.md", "b.txt", "deep/d.md", "drafts/c.md"]);
    expect(refs(await sync(new MemoryTarget(), { include: ["*.md"], exclude: ["drafts"] }))).toEqual([
      "a.md",
      "deep/d.md",
    ]);
    expect(refs(await sync(new MemoryTarget(), { include: ["deep/**"] }))).toEqual(["deep/d.md"]);
  });

  it("keeps the children of a folder that could not be listed, and deletes elsewhere", async () => {
    // A path longer than the system can name fails for root too, where permissions do not: built short, then moved down.
    const source = join(root, "source");
    const deep = "d".repeat(250);
    await mkdir(join(root, "built", ...Array<string>(15).fill(deep)), { recursive: true });
    await mkdir(join(source, deep, deep), { recursive: true });
    await writeFile(join(source, "gone.md"), "gone");
    const target = await sync(new MemoryTarget(), {}, source);
    await rename(join(root, "built"), join(source, deep, deep, "moved"));
    await rm(join(source, "gone.md"));
    const unlisted = `${deep}/${deep}/moved/${`${deep}/`.repeat(15)}`;
    const child = target.documents.get("gone.md")!;
    target.documents.set(`${unlisted}kept.md`, child);
    try {
      await sync(target, {}, source);
    } finally {
      await rename(join(source, deep, deep, "moved"), join(root, "built"));
    }
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([[unlisted, "INVALID_INPUT"]]);
    expect(refs(target)).toEqual([`${unlisted}kept.md`]);
  });

  it("fails a document that changes while it is read, and gives its next version in the next run", async () => {
    const path = join(root, "log.md");
    await writeFile(path, "x".repeat(1_000_000));
    const target = new MemoryTarget();
    const stream = fileConnector.read({
      config: fileConfigSchema.parse({ path: root }),
      secrets: {},
      cursor: null,
      known: target.known(),
      context,
    });
    for await (const change of stream) {
      if (change.type !== "upsert") continue;
      const body = (await change.content.open(context.signal))[Symbol.asyncIterator]();
      await body.next();
      await writeFile(path, "y".repeat(1_000_000));
      const drain = async () => {
        while (!(await body.next()).done);
      };
      await expect(drain()).rejects.toMatchObject({ code: "CONFLICT", retryable: true });
    }
    await sync(target);
    expect(target.contents()).toEqual({ "log.md": "y".repeat(1_000_000) });
  });

  it("notices a rewrite of the same size within the same second", async () => {
    const path = join(root, "a.md");
    await writeFile(path, "one");
    const target = await sync(new MemoryTarget());
    await writeFile(path, "two");
    await sync(target);
    expect(target.contents()).toEqual({ "a.md": "two" });
  });

  it("reads a hard link as a document of its own, not as a move", async () => {
    await writeFile(join(root, "a.md"), "text");
    const target = await sync(new MemoryTarget());
    await link(join(root, "a.md"), join(root, "b.md"));
    await sync(target);
    expect(target.contents()).toEqual({ "a.md": "text", "b.md": "text" });
  });

  it("reads a renamed file again when its extension asks for another parser", async () => {
    await writeFile(join(root, "a.txt"), "# text");
    const target = await sync(new MemoryTarget());
    await rename(join(root, "a.txt"), join(root, "a.md"));
    await sync(target);
    expect(target.opened).toEqual(["a.md"]);
    expect(target.documents.get("a.md")?.item.mediaType).toBe("text/markdown");
  });

  it("names what is wrong with a path that is a file, or may not be listed", async () => {
    await writeFile(join(root, "a.md"), "text");
    const check = (path: string) => fileConnector.check(fileConfigSchema.parse({ path }), {}, context);
    expect((await check(join(root, "a.md"))).error?.code).toBe("INVALID_INPUT");
    expect((await check(join(root, "missing"))).error).toMatchObject({ code: "SOURCE_NOT_FOUND" });
  });

  it("says in check() what it holds, and looks no further than it must", async () => {
    const summary = async () =>
      (await fileConnector.check(fileConfigSchema.parse({ path: root }), {}, context)).summary;
    expect(await summary()).toBe(`"${root}" can be read and holds no file to read.`);
    for (const name of ["a.md", "b.md"]) await writeFile(join(root, name), name);
    expect(await summary()).toMatch(/holds 2 files: [ab]\.md and [ab]\.md\.$/);
    for (let index = 0; index < 1200; index += 1) await writeFile(join(root, `${index}.md`), "");
    expect(await summary()).toMatch(/holds at least 1,000 files, such as \S+, \S+ and \S+\.$/);
  });

  it("reports a file and a folder that may not be read, and reads the rest", async () => {
    await chmod(root, 0o755);
    await mkdir(join(root, "shut"));
    await writeFile(join(root, "shut/a.md"), "a");
    await writeFile(join(root, "b.md"), "b");
    await writeFile(join(root, "c.md"), "c");
    await chmod(join(root, "shut"), 0o000);
    await chmod(join(root, "b.md"), 0o000);
    const { check, failures, contents } = readAsNobody(root);
    expect(failures).toEqual([
      ["b.md", "SOURCE_FORBIDDEN"],
      ["shut/", "SOURCE_FORBIDDEN"],
    ]);
    expect(contents).toEqual({ "c.md": "c" });
    expect(check.summary).toBe(`"${root}" can be read and holds 1 file: c.md.`);
    expect(check.checks[0]).toMatchObject({
      status: "warning",
      message: expect.stringContaining("may not be read by"),
    });

    await rm(join(root, "c.md"));
    expect(readAsNobody(root).check.error).toMatchObject({ code: "SOURCE_FORBIDDEN" });
    await chmod(root, 0o000);
    const shut = readAsNobody(root);
    await chmod(root, 0o700);
    expect(shut.check.error).toMatchObject({
      code: "SOURCE_FORBIDDEN",
      message: `"${root}" may not be read by the worker's user.`,
      action: expect.stringContaining("Give that user read permission"),
    });
    // The sync ends with the same sentence as the check.
    expect(shut.error).toBe(shut.check.error?.message);
  });

  it("lists ten thousand files without holding their names", async () => {
    const old = new Date("2020-01-01");
    for (let index = 0; index < 10_000; index += 1) await writeFile(join(root, `${index}.md`), "");
    await utimes(join(root, "0.md"), old, old);
    expect((await readdir(root)).length).toBe(10_000);
    const target = new MemoryTarget();
    const before = process.memoryUsage().heapUsed;
    let scanned = 0;
    for await (const change of fileConnector.read({
      config: fileConfigSchema.parse({ path: root }),
      secrets: {},
      cursor: null,
      known: target.known(),
      context,
    })) {
      if (change.type === "checkpoint") scanned = change.scanned;
    }
    expect(scanned).toBe(10_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
  });
});

/** Root may read everything, so a child that has become somebody else tries. */
function readAsNobody(path: string): {
  check: CheckResult;
  failures: [ref: string, code: string][];
  contents: Record<string, string>;
  error: string | null;
} {
  const urlOf = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);
  const script = `
    const { fileConnector } = await import(${urlOf("./file-connector.ts")});
    const { MemoryTarget } = await import(${urlOf("../../conformance/memory-target.ts")});
    if (process.getuid() === 0) {
      process.setgroups([]);
      process.setgid(65534);
      process.setuid(65534);
    }
    const config = fileConnector.configSchema.parse({ path: ${JSON.stringify(path)} });
    const context = { signal: new AbortController().signal, limits: { documentBytes: 1e6, requestTimeoutMs: 30_000 },
      deletions: ${JSON.stringify(defaultDeletionPolicy)}, ownFolders: [] };
    const check = await fileConnector.check(config, {}, context);
    const target = new MemoryTarget();
    const read = { config, secrets: {}, cursor: null, known: target.known(), context };
    const error = await target.apply(fileConnector.read(read)).then(() => null, (thrown) => thrown.message);
    const failures = target.failures.map(({ ref, error }) => [ref, error.code]).sort();
    console.log(JSON.stringify({ check, failures, contents: target.contents(), error }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout) as ReturnType<typeof readAsNobody>;
}
