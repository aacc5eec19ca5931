import { readFile } from "node:fs/promises";
import { delimiter, dirname, join, relative } from "node:path";
import type { Change } from "@anneal/core/connect/change";
import type { AnnealError } from "@anneal/core/errors";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findDebianProgram } from "../../conformance/find-debian-program.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { createPosixFiles, emailDomain, type PosixFiles } from "../../conformance/posix-files.ts";
import { findNfs, startNfs, type NfsServer } from "../../conformance/start-nfs.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { ConnectContext } from "../connector.ts";
import { fileConfigSchema } from "./config.ts";
import { fileConnector } from "./file-connector.ts";

const program = findNfs();
const getfacl = findDebianProgram("acl", "bin/getfacl");
const systemPath = process.env.PATH;
/** Longer than a server that goes on takes, on a machine that runs other tests as well. */
const impatient = testContext({ limits: { requestTimeoutMs: 1_500 } });
const hasty = testContext({ limits: { requestTimeoutMs: 50 } });
const names = ["a.md", "b.md", "deep/c.md", "deep/deeper/d.md", "e.md", "f.md"];

describe.skipIf(program === null).each(["off", "posix"] as const)(
  "permissions=%s, of a server that stands still",
  (permissions) => {
    const skipped = permissions === "posix" && getfacl === null;
    let server: NfsServer;
    let files: PosixFiles;
    beforeAll(async () => {
      server = await startNfs(program!);
      if (getfacl !== null) process.env.PATH = `${dirname(getfacl.path)}${delimiter}${systemPath}`;
    }, 60_000);
    afterAll(async () => {
      process.env.PATH = systemPath;
      await server.stop();
    });
    beforeEach(async () => {
      files = await createPosixFiles(server.trusting.onServer);
      for (const name of names) await files.put(name, `This is ${name}.`);
    });
    afterEach(async () => {
      server.resume();
      await files.close();
    });

    const config = () => {
      const path = join(server.trusting.mounted, relative(server.trusting.onServer, files.root));
      // On the server, too.
      const lists = { passwdPath: join(dirname(path), "passwd"), groupPath: join(dirname(path), "group") };
      const rights = { permissions, hiddenAccessLists: "none" };
      return fileConfigSchema.parse({ path, ...rights, userEmailDomain: emailDomain, ...lists });
    };
    const read = (target: MemoryTarget, context: ConnectContext = impatient) =>
      fileConnector.read({ config: config(), secrets: {}, cursor: target.cursor, known: target.known(), context });
    const errorOf = (ending: Promise<unknown>) =>
      ending.then(
        () => null,
        (error: unknown) => error,
      );
    const unreachable = { code: "SOURCE_UNREACHABLE", retryable: true };

    it.skipIf(skipped)(
      "ends as unreachable at whichever change that happens, deletes nothing, and has the rest once it goes on",
      async () => {
        const undisturbed = new MemoryTarget();
        await undisturbed.apply(read(undisturbed));
        const wanted = undisturbed.contents();
        expect(Object.keys(wanted)).toEqual(names);
        for (let at = 0; at < names.length; at += 1) {
          const target = new MemoryTarget();
          const error = await errorOf(target.apply(pausedAt(read(target), at)));
          expect(error, `stood still at ${at}`).toMatchObject(unreachable);
          for (const failure of target.failures) expect(failure.error.code).toBe(unreachable.code);
          // Each waits once more, and takes no thread for it.
          for (let again = 0; again < 4; again += 1) {
            expect(await errorOf(target.apply(read(target, hasty)))).toMatchObject(unreachable);
          }
          expect(await readFile(import.meta.filename, "utf8")).toContain("stands still");
          expect(target.changes).toEqual([]);
          server.resume();
          await target.apply(read(target));
          expect(target.failures).toEqual([]);
          expect(target.contents(), `stood still at ${at}`).toEqual(wanted);
        }
      },
    );

    it.skipIf(skipped)("ends at once with its sync, and leaves its machine's other files readable", async () => {
      const patient = testContext({ limits: { requestTimeoutMs: 3_600_000 } });
      for (let at = 0; at <= names.length; at += 1) {
        const cancel = new AbortController();
        const target = new MemoryTarget();
        const stream = read(target, { ...patient, signal: cancel.signal })[Symbol.asyncIterator]();
        for (let index = 0; index < at; index += 1) {
          const { value } = await stream.next();
          if (value?.type === "upsert") await value.content.open(cancel.signal).then(collect);
        }
        server.pause();
        const next = errorOf(stream.next());
        cancel.abort(new Error("cancelled"));
        const error = await next;
        // The last change may have been known before.
        if (error !== null) expect(error).toMatchObject({ message: "cancelled" });
        expect(await readFile(import.meta.filename, "utf8")).toContain("stands still");
        server.resume();
      }
      const target = new MemoryTarget();
      await target.apply(read(target));
      expect(Object.keys(target.contents())).toEqual(names);
    });

    it.skipIf(skipped)("holds no more than it may of six contents that are opened at once", async () => {
      const target = new MemoryTarget();
      const opened: Change[] = [];
      for await (const change of read(target)) opened.push(change);
      server.pause();
      const contents = opened.flatMap((change) => (change.type === "upsert" ? [change.content] : []));
      expect(contents).toHaveLength(names.length);
      const ends = contents.map((content) => errorOf(content.open(new AbortController().signal).then(collect)));
      expect(await readFile(import.meta.filename, "utf8")).toContain("stands still");
      for (const error of await Promise.all(ends)) expect(error).toMatchObject(unreachable);
    });

    it.skipIf(skipped)("says so in its check and where people and groups are read", async () => {
      server.pause();
      expect((await fileConnector.check(config(), {}, impatient)).error?.code).toBe(unreachable.code);
      const directory = fileConnector.readDirectory!({ config: config(), secrets: {}, context: impatient });
      if (permissions === "posix") expect(await errorOf(collect(directory))).toMatchObject(unreachable);
    });

    async function* pausedAt(changes: AsyncIterable<Change>, at: number): AsyncIterable<Change> {
      let index = 0;
      for await (const change of changes) {
        if (index === at) server.pause();
        index += 1;
        yield change;
      }
    }
  },
);

describe.skipIf(program === null)("a large file of a server that stands still", () => {
  it("ends as unreachable in the middle of its content, or with its document", async () => {
    const server = await startNfs(program!);
    const files = await createPosixFiles(server.trusting.onServer);
    try {
      await files.put("large.md", "x".repeat(32 * 1024 * 1024));
      const path = join(server.trusting.mounted, relative(server.trusting.onServer, files.root));
      const config = fileConfigSchema.parse({ path });
      const contentOf = async (requestTimeoutMs: number) => {
        const context = testContext({ limits: { requestTimeoutMs } });
        const known = new MemoryTarget().known();
        for await (const change of fileConnector.read({ config, secrets: {}, cursor: null, known, context }))
          if (change.type === "upsert") return change.content;
        throw new Error("no content");
      };
      const document = new AbortController();
      const body = (await (await contentOf(3_600_000)).open(document.signal))[Symbol.asyncIterator]();
      await body.next();
      server.pause();
      const rest = collect({ [Symbol.asyncIterator]: () => body }).catch((error: AnnealError) => error);
      document.abort(new Error("given up"));
      expect(await rest).toMatchObject({ message: "given up" });
      server.resume();
      const another = (await (await contentOf(500)).open(new AbortController().signal))[Symbol.asyncIterator]();
      await another.next();
      server.pause();
      const error = await collect({ [Symbol.asyncIterator]: () => another }).catch((one: AnnealError) => one);
      expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    } finally {
      server.resume();
      await files.close();
      await server.stop();
    }
  }, 60_000);
});

async function collect(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
