import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultParseLimits } from "./limits.ts";
import type { ParseReply, ScannedPartMessage } from "./parser-messages.ts";
import { ParserProcess } from "./parser-process.ts";

const document = { title: null, mediaType: "application/pdf", elements: [], warnings: [] };
/** A child that a document took over: it asks again whenever it was answered, and never comes to an end. */
const takenOver = `
  const part = { status: "scanned-part", bytes: "", maxTextLength: 10,
    pdf: { document: ${JSON.stringify(document)}, scans: { pageCount: 1, unreadable: [], sparse: [] } } };
  process.on("message", () => process.send(part));
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
        request: { task: "parse", path: join(folder, "a.zip"), fileName: "a.zip", mediaType: undefined, limits },
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
});
