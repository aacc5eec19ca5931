import { type AddressInfo, createServer } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AnnealError } from "@anneal/core/errors";
import { expectNoOrphan } from "@anneal/processes/orphan.fixture";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultParseLimits } from "./limits.ts";
import { findNetworkConfinement } from "@anneal/processes/network-confinement";
import type { ParseReply, ScannedPartMessage } from "./parser-messages.ts";
import { ParserProcess } from "./parser-process.ts";

const document = { title: null, mediaType: "application/pdf", elements: [], warnings: [] };
/** A child that a document took over: it asks again whenever it was answered, and never comes to an end. */
const takenOver = `
  const part = { status: "scanned-part", bytes: "", maxTextLength: 10,
    pdf: { document: ${JSON.stringify(document)}, scans: { pageCount: 1, unreadable: [], sparse: [], annotations: [] } } };
  process.on("message", () => process.send(part));
  process.on("disconnect", () => process.exit());
`;
/** One that says what it could do, of all that is forbidden to it. */
const curious = `
  const { readFileSync, readdirSync, writeFileSync } = require("node:fs");
  const { connect } = require("node:net");
  const { spawnSync } = require("node:child_process");
  const tell = (done) => process.send({ status: "failed",
    error: { code: "DOCUMENT_DAMAGED", message: "It told.", action: "Look.", details: { done } } });
  const attempt = (name, work) => { try { work(); return [name]; } catch { return []; } };
  process.on("message", ({ mediaType, fileName }) => {
    const [secret, port] = fileName.split("|");
    const done = [
      ...attempt("read /etc/passwd", () => readFileSync("/etc/passwd")),
      ...attempt("read our environment", () => readFileSync("/proc/" + process.ppid + "/environ")),
      ...attempt("read another document", () => readFileSync(secret)),
      ...attempt("list the documents", () => readdirSync(require("node:path").dirname(secret))),
      ...attempt("read the repository", () => readFileSync(mediaType)),
      ...attempt("write", () => writeFileSync(secret + ".new", "x")),
      ...attempt("run a program", () => { if (spawnSync("true").error) throw new Error("no"); }),
    ];
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    socket.once("connect", () => (socket.destroy(), tell([...done, "connect"])));
    socket.once("error", () => tell(done));
  });
  process.on("disconnect", () => process.exit());
`;
/** One that never comes to an end, and hears of nothing any more. */
const busy = `
  process.on("message", () => {
    process.title = "busy parser";
    for (;;);
  });
`;
/** One that holds 320 MiB which V8's limit on its heap does not count, and waits. */
const outsideTheHeap = `
  const held = [];
  process.on("message", () => {
    for (let taken = 0; taken < 10; taken += 1) held.push(Buffer.alloc(32 * 1024 * 1024, 1));
  });
  process.on("disconnect", () => process.exit());
`;
const limits = { ...defaultParseLimits, maxScannedPages: 3 };
const cancelled = new AnnealError("CANCELLED", "It was cancelled.", { action: "Start it again." });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-process-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("ParserProcess", () => {
  it("ends a child that asks for more parts than a document has scanned pages", async () => {
    const program = join(folder, "taken-over.cjs");
    await writeFile(program, takenOver);
    const child = new ParserProcess({ timeoutMs: 60_000, maxMemoryBytes: 1024 ** 3, recycleAfter: 10, program });
    const asked: ScannedPartMessage[] = [];
    const result = await new Promise<{ reply: ParseReply } | { error: unknown }>((settle) =>
      child.run({
        request: { task: "parse", fileName: "a.zip", mediaType: undefined, limits },
        path: null,
        signal: undefined,
        cancelled,
        recognizePart: async (part) => {
          asked.push(part);
          return document;
        },
        settle,
      }),
    );
    expect(result).toMatchObject({ error: { code: "DOCUMENT_HOSTILE" } });
    expect(asked).toHaveLength(3);
    await child.end(cancelled);
  }, 60_000);

  it.each([false, true])(
    "lets what a document took over read no file and reach no server, with native code: %s",
    async (nativeCode: boolean) => {
      const program = join(folder, "curious.cjs");
      const secret = join(folder, "another.txt");
      await Promise.all([writeFile(program, curious), writeFile(secret, "Secret.")]);
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address() as AddressInfo;
      const bounds = { timeoutMs: 60_000, maxMemoryBytes: 1024 ** 3, recycleAfter: 10 };
      const child = new ParserProcess({ ...bounds, program, nativeCode });
      try {
        const result = await new Promise<{ reply: ParseReply } | { error: unknown }>((settle) =>
          child.run({
            // Words in which the child is told where to look.
            request: {
              task: "parse",
              fileName: `${secret}|${port}`,
              mediaType: fileURLToPath(new URL("../../../package.json", import.meta.url)),
              limits,
            },
            path: null,
            signal: undefined,
            cancelled,
            settle,
          }),
        );
        // Where the system lets nobody have a network of his own, the network stays open, and the worker's log says so.
        const done = findNetworkConfinement() === null ? ["connect"] : [];
        expect(result).toMatchObject({ reply: { error: { details: { done } } } });
      } finally {
        await child.end(cancelled);
        await new Promise((resolve) => server.close(resolve));
      }
    },
    60_000,
  );

  it("ends a child whose memory outside the heap passes the limit", async () => {
    const program = join(folder, "outside-the-heap.cjs");
    await writeFile(program, outsideTheHeap);
    const bounds = { timeoutMs: 30_000, maxMemoryBytes: 256 * 1024 ** 2, recycleAfter: 10 };
    const child = new ParserProcess({ ...bounds, program });
    const result = await new Promise<{ reply: ParseReply } | { error: unknown }>((settle) =>
      child.run({
        request: { task: "parse", fileName: "a.pdf", mediaType: undefined, limits },
        path: null,
        signal: undefined,
        cancelled,
        settle,
      }),
    );
    expect(result).toMatchObject({
      error: {
        code: "DOCUMENT_TOO_LARGE",
        message: "Parsing needed more than 256 MiB of memory and was ended.",
      },
    });
    await child.end(cancelled);
  }, 60_000);

  it("ends with a parent that was killed, however busy it is", async () => {
    const program = join(folder, "busy.cjs");
    await writeFile(program, busy);
    const options = { timeoutMs: 600_000, maxMemoryBytes: 1024 ** 3, recycleAfter: 10, program };
    const job = { request: { task: "parse", fileName: "a.md", limits }, path: null, cancelled: null };
    await expectNoOrphan(
      `const { ParserProcess } = await import(${JSON.stringify(new URL("./parser-process.ts", import.meta.url))});
       const child = new ParserProcess(${JSON.stringify(options)});
       child.run({ ...${JSON.stringify(job)}, settle() {} });`,
      "busy parser",
    );
  });
});
