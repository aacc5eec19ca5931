import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inHostSlot, requestsPerHost } from "@anneal/connectors/remote/host-slots";
import type { RemoteEvent } from "@anneal/connectors/remote/remote-observer";
import { createHostSender } from "@anneal/connectors/remote/send-to-host";
import { AnnealError } from "@anneal/core/errors";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ParserPool } from "../parser-pool.ts";
import { FakeUnstructured } from "../testing/fake-unstructured.ts";
import { failureOf, outlineOf } from "../testing/outline-of.ts";
import { writePdf } from "../testing/pdf-fixture.ts";
import type { UnstructuredOptions } from "./unstructured-client.ts";

const apiKey = "a-secret-key-4711";
const pdf = writePdf([[{ x: 72, y: 700, text: "Own parser" }]]);
let folder: string;
let server: FakeUnstructured;
const pools: ParserPool[] = [];
let waits: number[];

async function parse(
  content: string | Uint8Array = pdf,
  fileName = "a.pdf",
  options: Partial<UnstructuredOptions> = {},
) {
  const path = join(folder, "document");
  await writeFile(path, content);
  const wait = (ms: number) => {
    waits.push(ms);
    return Promise.resolve();
  };
  return startPool({ url: `${server.url}/`, apiKey, wait, ...options }).parse({ path, fileName });
}

function startPool(unstructured?: UnstructuredOptions): ParserPool {
  const pool = new ParserPool({ size: 1, ...(unstructured === undefined ? {} : { unstructured }) });
  pools.push(pool);
  return pool;
}

const errorOf = async (parsed: Promise<unknown>): Promise<AnnealError> => {
  const error: unknown = await parsed.catch((reason: unknown) => reason);
  if (!(error instanceof AnnealError)) throw new Error("It did not fail as expected.");
  return error;
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anneal-unstructured-"));
});
beforeEach(async () => {
  waits = [];
  server = await FakeUnstructured.start();
  server.key = apiKey;
});
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.close()));
  await server.stop();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("Unstructured API", () => {
  it("reads a document instead of our parsers, with the settings that were made", async () => {
    server.documents.set("a.pdf", [
      { type: "Header", text: "ACME, page 1", metadata: { page_number: 1 } },
      { type: "Title", text: "Pumps", metadata: { page_number: 1, category_depth: 0 } },
      {
        type: "NarrativeText",
        text: "They move water.",
        metadata: {
          page_number: 1,
          coordinates: {
            points: [
              [100, 200],
              [100, 240],
              [900, 240],
              [900, 200],
            ],
            system: "PixelSpace",
            layout_width: 1000,
            layout_height: 2000,
          },
        },
      },
      { type: "Title", text: "Kinds", metadata: { page_number: 1, category_depth: 1 } },
      { type: "ListItem", text: "one", metadata: { page_number: 2 } },
      { type: "ListItem", text: "two", metadata: { page_number: 2, category_depth: 1 } },
      {
        type: "Table",
        text: "Size 5 mm",
        metadata: {
          page_number: 2,
          text_as_html: "<table><tr><td>Name</td><td>Size</td></tr><tr><td>P1</td><td>5 mm</td></tr></table>",
        },
      },
      { type: "CodeSnippet", text: "run()\n  stop()", metadata: { page_number: 2 } },
      { type: "Image", text: "A pump from the side", metadata: { page_number: 3 } },
      { type: "SomethingNew", text: "Words.", metadata: { page_number: "three" } },
    ]);
    const document = await parse(pdf, "a.pdf", { strategy: "hi_res", languages: ["eng", "deu"] });
    expect(outlineOf(document)).toEqual([
      "title Pumps",
      "paragraph They move water.",
      "heading2 Kinds",
      "list - one\n  - two",
      "table | Name | Size |\n| --- | --- |\n| P1 | 5 mm |",
      "code run()\n  stop()",
      "figure A pump from the side",
      "paragraph Words.",
    ]);
    expect(document).toMatchObject({ title: "Pumps", mediaType: "application/pdf" });
    expect(document.elements.map(({ page }) => page)).toEqual([1, 1, 1, 2, 2, 2, 3, undefined]);
    expect(document.elements[1]).toMatchObject({
      section: ["Pumps"],
      box: { left: 0.1, top: 0.1, width: 0.8, height: 0.02 },
    });
    expect(document.warnings).toEqual(["Page headers, footers and numbers left out: 1."]);
    expect(server.requests).toMatchObject([
      {
        fileName: "a.pdf",
        mediaType: "application/pdf",
        fields: { strategy: ["hi_res"], languages: ["eng", "deu"], coordinates: ["true"] },
      },
    ]);
    expect(server.requests[0]?.bytes.equals(pdf)).toBe(true);
  });

  it("counts pages by their breaks where the elements name none", async () => {
    const text = (words: string) => ({ type: "NarrativeText", text: words });
    server.documents.set("a.doc", [text("first"), { type: "PageBreak", text: "" }, text("second")]);
    const doc = Buffer.concat([
      Buffer.from("d0cf11e0a1b11ae1", "hex"),
      Buffer.alloc(600),
      Buffer.from("WordDocument", "utf16le"),
    ]);
    const document = await parse(doc, "a.doc");
    expect(document.elements.map(({ text: words, page }) => [words, page])).toEqual([
      ["first", undefined],
      ["second", 2],
    ]);
  });

  it("gets nothing whose structure stands in the file, and nothing at all unless it is set", async () => {
    expect(outlineOf(await parse("# Title\n\nText.", "a.md"))).toEqual(["title Title", "paragraph Text."]);
    expect(outlineOf(await parse("From: a@example.org\nSubject: S\n\nText.", "a.eml"))).toContain("paragraph Text.");
    const path = join(folder, "own.pdf");
    await writeFile(path, pdf);
    expect(outlineOf(await startPool().parse({ path }))).toEqual(["paragraph Own parser"]);
    expect(server.requests).toEqual([]);
  });

  it("takes of a table's HTML only the table", async () => {
    const html =
      '<script>steal()</script><img src="http://example.org/x" alt="a long alternative text"><p>not this</p><table><tr><td>a<iframe src="javascript:1"></iframe></td><td onclick="x()">b</td></tr><tr><td>c</td><td>d</td></tr></table>';
    const deep = `${"<div><table><tr><td>".repeat(3000)}deep`;
    server.documents.set("a.pdf", [
      { type: "Table", text: "a b", metadata: { text_as_html: html } },
      { type: "Table", text: "the plain words", metadata: { text_as_html: "<p>no table</p>" } },
      { type: "Table", text: "deep", metadata: { text_as_html: deep } },
    ]);
    const [first, second, ...rest] = outlineOf(await parse());
    expect([first, second]).toEqual(["table | a | b |\n| --- | --- |\n| c | d |", "paragraph the plain words"]);
    expect(rest.join()).toContain("deep");
  });

  it("waits as long as it is asked to, and tries again when the server fails or the answer breaks off", async () => {
    server.documents.set("a.pdf", [{ type: "NarrativeText", text: "At last." }]);
    server.troubles.push({ status: 429, retryAfter: "7" }, { status: 503 }, "broken-body");
    expect(outlineOf(await parse())).toEqual(["paragraph At last."]);
    expect(waits).toEqual([7000, 2000, 4000]);
  });

  it("gives up after some attempts: a server that is not there ends the stage, one that fails over a document costs that document", async () => {
    server.troubles.push(...Array.from({ length: 3 }, () => ({ status: 503 })));
    expect(await errorOf(parse(pdf, "a.pdf", { attempts: 3 }))).toMatchObject({ code: "ENGINE_UNAVAILABLE" });
    server.troubles.push("hang-up");
    expect(await failureOf(parse(pdf, "a.pdf", { attempts: 1 }))).toMatch(/^ENGINE_UNAVAILABLE: .*does not answer/u);
    server.troubles.push({ status: 500, detail: "boom" });
    expect(await failureOf(parse(pdf, "a.pdf", { attempts: 1 }))).toMatch(/^DOCUMENT_DAMAGED: .*boom/u);
    server.troubles.push({ status: 429, retryAfter: "3600" });
    const long = await errorOf(parse());
    expect(long).toMatchObject({ code: "RATE_LIMITED", details: { retryAfterMs: 3_600_000 } });
    expect(waits).toEqual([1000, 2000]);
  });

  it("gives up a document over which the server takes too long", async () => {
    server.troubles.push("silence");
    expect(await failureOf(parse(pdf, "a.pdf", { timeoutMs: 50 }))).toMatch(/^DOCUMENT_TIMEOUT: .*0.1 s/u);
  });

  it("makes each request by way of whoever counts it", async () => {
    const events: RemoteEvent[] = [];
    const send = createHostSender((event) => events.push(event));
    const { host } = new URL(server.url);
    server.documents.set("a.pdf", [{ type: "NarrativeText", text: "At last." }]);
    server.troubles.push({ status: 503, detail: "busy" });
    expect(outlineOf(await parse(pdf, "a.pdf", { send }))).toEqual(["paragraph At last."]);
    const durationMs = expect.any(Number);
    expect(events).toEqual([
      { type: "request", host, status: 503, durationMs },
      { type: "throttled", host },
      { type: "received", host, bytes: JSON.stringify({ detail: "busy" }).length },
      { type: "request", host, status: 200, durationMs },
      { type: "received", host, bytes: JSON.stringify(server.documents.get("a.pdf")).length },
    ]);
    events.length = 0;
    server.troubles.push("silence");
    await expect(parse(pdf, "a.pdf", { send, timeoutMs: 50 })).rejects.toMatchObject({ code: "DOCUMENT_TIMEOUT" });
    expect(events).toEqual([{ type: "request", host, status: null, durationMs }]);
  });

  it("waits for its turn while as many requests are at the host as it takes", async () => {
    const { host } = new URL(server.url);
    const { promise: held, resolve: leave } = Promise.withResolvers<void>();
    const { signal } = new AbortController();
    const others = Array.from({ length: requestsPerHost }, () => inHostSlot(host, requestsPerHost, signal, () => held));
    server.documents.set("a.pdf", [{ type: "NarrativeText", text: "In turn." }]);
    const waiting = parse(pdf, "a.pdf", { send: createHostSender(() => {}) });
    // It goes past the others, and was begun later.
    await parse(pdf, "b.pdf");
    expect(server.requests.map(({ fileName }) => fileName)).toEqual(["b.pdf"]);
    leave();
    expect(outlineOf(await waiting)).toEqual(["paragraph In turn."]);
    await Promise.all(others);
  });

  it("says in words what a refusal means, and for whom", async () => {
    server.troubles.push({ status: 422, detail: [{ loc: ["body"], msg: "value is not valid", type: "value_error" }] });
    expect(await failureOf(parse())).toBe(
      "DOCUMENT_UNSUPPORTED: The Unstructured API refuses the document: value is not valid",
    );
    expect(await failureOf(parse(writePdf([[]], { encrypt: true })))).toMatch(/^DOCUMENT_ENCRYPTED/u);
    server.troubles.push("redirect");
    expect(await failureOf(parse())).toMatch(/^PREREQUISITE_MISSING: .*not found at/u);
    server.troubles.push("page");
    expect(await failureOf(parse())).toMatch(/^ENGINE_UNAVAILABLE: .*no list of elements/u);
    server.documents.set("a.pdf", [{ type: "NarrativeText", text: "x".repeat(5000) }]);
    expect(await failureOf(parse(pdf, "a.pdf", { maxAnswerBytes: 1000 }))).toMatch(
      /^DOCUMENT_TOO_LARGE: .*1,000 bytes/u,
    );
  });

  it("shows a key that is refused to nobody, and gives it to no child", async () => {
    const error = await errorOf(parse(pdf, "a.pdf", { apiKey: "another-secret" }));
    expect(error.code).toBe("PREREQUISITE_MISSING");
    server.troubles.push({ status: 422, detail: `you sent ${apiKey}` });
    const told = await errorOf(parse());
    for (const shown of [error, told]) {
      expect(JSON.stringify([shown.message, shown.action, shown.details])).not.toMatch(/another-secret|secret-key/u);
    }
    server.documents.set("a.pdf", [{ type: "NarrativeText", text: "Words." }]);
    await parse();
    const tasks = await readdir("/proc/self/task");
    const lists = await Promise.all(
      tasks.map((task) => readFile(`/proc/self/task/${task}/children`, "utf8").catch(() => "")),
    );
    const children = lists
      .join(" ")
      .split(/\s+/u)
      .filter((pid) => pid !== "");
    expect(children.length).toBeGreaterThan(0);
    for (const pid of children) {
      const seen = await Promise.all(
        ["environ", "cmdline"].map((name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "")),
      );
      expect(seen.join()).not.toContain(apiKey);
    }
    expect(pools.at(-1)?.version()).not.toContain(apiKey);
  });

  it("makes another version of the parser, so that documents are read again when it is set or changed", async () => {
    const versionWith = (unstructured?: UnstructuredOptions) => startPool(unstructured).version();
    const versions = [
      versionWith(),
      versionWith({ url: server.url }),
      versionWith({ url: server.url, strategy: "hi_res" }),
      versionWith({ url: "http://elsewhere.example" }),
    ];
    expect(new Set(versions).size).toBe(4);
    expect(versionWith({ url: server.url })).toBe(versions[1]);
  });

  it("takes languages for a set that is told apart from the version, as with Tesseract", async () => {
    const languages = ["eng", "deu"];
    const pool = startPool({ url: server.url, languages });
    expect(pool.version()).toBe(startPool({ url: server.url }).version());
    expect(await pool.recognitionLanguages()).toEqual(expect.arrayContaining(["unstructured:deu", "unstructured:eng"]));
  });
});
