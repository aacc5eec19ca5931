import { mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAnnealError } from "@anneal/core/errors";
import { expectConfined } from "@anneal/processes/confined.fixture";
import { childrenRunning } from "@anneal/processes/orphan.fixture";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { ParserPool, type ParserPoolOptions } from "./parser-pool.ts";
import { failureOf } from "./testing/outline-of.ts";
import { docxParagraph, writeDocx } from "./testing/office-fixture.ts";

const MiB = 1024 * 1024;
let folder: string;
let pool: ParserPool;

function start(options: ParserPoolOptions = {}): ParserPool {
  pool = new ParserPool({ size: 1, timeoutMs: 60_000, ...options });
  return pool;
}

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The pool's processes. */
const childPids = () => childrenRunning("parser-child");

/** Markdown that keeps its parser busy for minutes: deep lists cost the cube of their depth. */
const endless = Array.from({ length: 3000 }, (_, depth) => `${" ".repeat(depth * 2)}- x`).join("\n");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-parser-"));
});
afterEach(() => pool.close());
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("ParserPool", () => {
  it("parses in one reused process, and in a new one after the set number of documents", async () => {
    start({ recycleAfter: 3 });
    const path = await file("a.docx", writeDocx(docxParagraph("Guide", "Title")));
    const parseOnce = async () => {
      expect((await pool.parse({ path, fileName: "guide.docx" })).title).toBe("Guide");
      return childPids();
    };
    const first = await parseOnce();
    expect(first).toHaveLength(1);
    expect(await parseOnce()).toEqual(first);
    await parseOnce();
    const fourth = await parseOnce();
    expect(fourth).toHaveLength(1);
    expect(fourth).not.toEqual(first);
  });

  it("passes on what is wrong with a document, and goes on with the next", async () => {
    start();
    const bad = await file("bad.docx", "PK\x03\x04[Content_Types].xml word/document.xml");
    const good = await file("good.md", "# Title\n\nText.");
    expect(await failureOf(pool.parse({ path: bad }))).toMatch(/^DOCUMENT_DAMAGED/u);
    expect((await pool.parse({ path: good })).title).toBe("Title");
  });

  it("refuses a 2 GB file by its size, without a process", async () => {
    start();
    const path = join(folder, "huge.txt");
    const handle = await open(path, "w");
    await handle.truncate(2 * 1024 * MiB);
    await handle.close();
    expect(await failureOf(pool.parse({ path }))).toBe("DOCUMENT_TOO_LARGE: The file has 2 GiB; the limit is 100 MiB.");
    expect(childPids()).toEqual([]);
  });

  it("ends a document that takes too long, and goes on with the next", async () => {
    start({ timeoutMs: 6000 });
    const slow = pool.parse({ path: await file("slow.md", endless) });
    const next = pool.parse({ path: await file("next.txt", "Next.") });
    expect(await failureOf(slow)).toBe("DOCUMENT_TIMEOUT: Parsing took longer than 6 s and was ended.");
    expect((await next).elements[0]?.text).toBe("Next.");
  });

  it("ends a document that takes too much memory, and goes on with the next", async () => {
    start({ maxMemoryBytes: 160 * MiB });
    const hungry = pool.parse({
      path: await file("hungry.json", `[${"{},".repeat(8_000_000)}{}]`),
    });
    const next = pool.parse({ path: await file("next.txt", "Next.") });
    expect(await failureOf(hungry)).toBe(
      "DOCUMENT_TOO_LARGE: Parsing needed more than 160 MiB of memory and was ended.",
    );
    expect((await next).elements[0]?.text).toBe("Next.");
  });

  it("loses only the document in hand when a process dies", async () => {
    start();
    const slow = pool.parse({ path: await file("slow.md", endless) });
    const next = pool.parse({ path: await file("next.txt", "Next.") });
    const failure = failureOf(slow);
    const pid = await vi.waitFor(
      async () => {
        const [first] = childPids();
        expect(first).toBeDefined();
        return first!;
      },
      { timeout: 20_000 },
    );
    process.kill(pid, "SIGKILL");
    expect(await failure).toBe("DOCUMENT_DAMAGED: The document made its parser crash (SIGKILL).");
    expect((await next).elements[0]?.text).toBe("Next.");
  });

  it("gives its processes neither our environment nor the right to write or to start programs", async () => {
    vi.stubEnv("ANNEAL_ENCRYPTION_KEY", "secret");
    start();
    await pool.parse({ path: await file("a.txt", "Text.") });
    const [pid] = childPids();
    await expectConfined(pid!, ["core", "documents", "processes"]);
    vi.unstubAllEnvs();
  });

  it("uses no processor time while it waits", async () => {
    start();
    await pool.parse({ path: await file("a.txt", "Text.") });
    const [pid] = childPids();
    const ticks = async () => {
      const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
      return Number(fields[11]) + Number(fields[12]);
    };
    // Whatever start-up and garbage collection are left come to rest first.
    let before = -1;
    await vi.waitFor(
      async () => {
        const now = await ticks();
        const isStill = now === before;
        before = now;
        expect(isStill).toBe(true);
      },
      { timeout: 20_000, interval: 1000 },
    );
  });

  it("gives up what waits as soon as that is aborted, whatever is in hand", async () => {
    start();
    const path = await file("slow.md", endless);
    const running = failureOf(pool.parse({ path }));
    await vi.waitFor(async () => expect(childPids()).toHaveLength(1), { timeout: 20_000 });
    const controller = new AbortController();
    const waiting = failureOf(pool.parse({ path, signal: controller.signal }));
    await vi.waitFor(() => expect(Reflect.get(pool, "queue")).toHaveLength(1));
    controller.abort();
    expect(await waiting).toMatch(/^CANCELLED/u);
    expect(childPids()).toHaveLength(1);
    await pool.close();
    expect(await running).toMatch(/^CANCELLED/u);
  });

  it("fails what waits and what runs when it is closed or aborted, and leaves no process", async () => {
    start();
    const path = await file("slow.md", endless);
    const controller = new AbortController();
    const aborted = failureOf(pool.parse({ path, signal: controller.signal }));
    const running = failureOf(pool.parse({ path }));
    const waiting = failureOf(pool.parse({ path }));
    await vi.waitFor(async () => expect(childPids()).toHaveLength(1), { timeout: 20_000 });
    controller.abort();
    expect(await aborted).toMatch(/^CANCELLED/u);
    await vi.waitFor(async () => expect(childPids()).toHaveLength(1), { timeout: 20_000 });
    await pool.close();
    expect([await running, await waiting]).toEqual([
      expect.stringMatching(/^CANCELLED/u),
      expect.stringMatching(/^CANCELLED/u),
    ]);
    expect(childPids()).toEqual([]);
    const late = await pool.parse({ path }).catch((error: unknown) => error);
    expect(isAnnealError(late) && late.code).toBe("CANCELLED");
  });

  it("runs random bytes through its processes without losing one", async () => {
    start({ size: 2 });
    const pids = new Set<number>();
    for (const extension of ["pdf", "docx", "xlsx", "pptx", "eml", "html", "md", "json", "csv", "xml", "txt", "bin"]) {
      const bytes = Uint8Array.from(
        { length: 4096 },
        (_, index) => (index * index * 31 + extension.length * index + extension.charCodeAt(0)) % 256,
      );
      const result = await failureOf(pool.parse({ path: await file(`random.${extension}`, bytes) }));
      expect(result).toMatch(/^(?:DOCUMENT_|parsed)/u);
      for (const pid of childPids()) pids.add(pid);
    }
    expect(pids.size).toBe(1);
  });
});
