import { type CleanResult, cleanDocument } from "@anneal/core/clean/clean-document";
import { checkPair } from "@anneal/core/dataset/check-pair";
import { dedupeQuestions } from "@anneal/core/dataset/dedupe-questions";
import { extractPairs } from "@anneal/core/dataset/extract-pairs";
import { findSimilarPairs } from "@anneal/core/dedupe/find-similar-pairs";
import { documentText } from "@anneal/core/document/element";
import { type ErrorCode, isAnnealError } from "@anneal/core/errors";
import { parseDocument } from "@anneal/documents/parse-document";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";

const documentsDir = join(import.meta.dirname, "documents");
const questionsSchema = z.array(
  z.object({
    question: z.string(),
    answer: z.string().nullable(),
    passages: z.array(z.object({ document: z.string(), quote: z.string() })),
  }),
);

type Kept = Extract<CleanResult, { status: "kept" }>;
const kept = new Map<string, Kept>();
const dropped = new Map<string, string>();
const failed = new Map<string, ErrorCode>();
for (const entry of await readdir(documentsDir, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  const name = path.slice(documentsDir.length + 1);
  try {
    const parsed = await parseDocument({ bytes: await readFile(path), fileName: basename(path) });
    const cleaned = cleanDocument(parsed);
    if (cleaned.status === "kept") kept.set(name, cleaned);
    else dropped.set(name, cleaned.code);
  } catch (error) {
    if (!isAnnealError(error)) throw error;
    failed.set(name, error.code);
  }
}
const questions = questionsSchema.parse(
  JSON.parse(await readFile(join(import.meta.dirname, "questions.json"), "utf8")),
);
const textOf = (name: string) => documentText(kept.get(name)?.document.elements ?? []);
const judged = [...kept].flatMap(([documentId, { document, language }]) =>
  extractPairs({ documentId, language: language.code, parsed: document }).map((pair) => ({
    pair,
    verdict: checkPair(pair, { context: "", tableHeader: null, text: pair.source.quote }),
  })),
);
const pairs = judged.flatMap(({ pair, verdict }) => (verdict.status === "kept" ? [pair] : []));

test("only the files that are bad on purpose fail, each with its code", () => {
  expect(Object.fromEntries(failed)).toEqual({
    "hr/org-chart-2019.docx": "DOCUMENT_DAMAGED",
    "hr/pay-bands.pdf": "DOCUMENT_ENCRYPTED",
  });
  expect(Object.fromEntries(dropped)).toEqual({ "hr/letter-template.txt": "LOREM_IPSUM" });
});

test.each(questions.filter(({ answer }) => answer !== null))(
  "the passages of “$question” stand in their documents",
  ({ passages }) => {
    expect(passages).not.toEqual([]);
    for (const { document, quote } of passages) expect(textOf(document)).toContain(quote);
  },
);

test("questions without an answer stand last and quote nothing", () => {
  const first = questions.findIndex(({ answer }) => answer === null);
  expect(first).toBeGreaterThan(20);
  expect(questions.slice(first).every(({ answer, passages }) => answer === null && passages.length === 0)).toBe(true);
});

test("the pairs are enough to train on, none is asked twice, and one with personal data is left out", () => {
  expect(pairs.length).toBeGreaterThanOrEqual(60);
  expect(dedupeQuestions(pairs).dropped).toEqual([]);
  expect(judged.flatMap(({ verdict }) => (verdict.status === "kept" ? [] : [verdict.code]))).toEqual(["MASKED"]);
});

test("the first question is a pair of a document too large to be held out", () => {
  const [first] = questions;
  const taught = pairs.find(({ question }) => question === first?.question);
  expect(taught?.answer).toContain(first?.answer);
  const siblings = pairs.filter(({ documentId }) => documentId === taught?.documentId);
  expect(siblings.length).toBeGreaterThan(Math.round(pairs.length * 0.1));
});

test("the copy and the revised policy are the only near-duplicates", () => {
  const names = [...kept.keys()].toSorted();
  const similar = findSimilarPairs(names.map(textOf)).map(({ left, right }) => [names[left], names[right]]);
  expect(similar).toEqual([
    ["handbook/travel-policy-2025.md", "handbook/travel-policy-2026.md"],
    ["products/drip-3-quick-start.md", "support/drip-3-handout.md"],
  ]);
});

test("every kind of personal data is there to be masked", () => {
  const found = new Set([...kept.values()].flatMap(({ pii }) => Object.keys(pii)));
  expect([...found].toSorted()).toEqual(["EMAIL", "IBAN", "IP_ADDRESS", "PAYMENT_CARD", "PHONE"]);
});
