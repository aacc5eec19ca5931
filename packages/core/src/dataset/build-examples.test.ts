import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { groundAnswer } from "../chat/ground-answer.ts";
import { parseAnswer } from "../chat/parse-answer.ts";
import { passages } from "../chat/passages.fixture.ts";
import { buildExamples } from "./build-examples.ts";
import { datasetDigest, type DatasetExample, toMessagesJsonl } from "./dataset-digest.ts";
import { writeDataset } from "./dataset-formats.ts";
import { locatePair } from "./locate-pair.ts";

const pool = Object.values(passages);
const pairs = [
  locatePair(
    {
      question: "How are refunds paid?",
      answer: "Refunds are paid to the original card within 5 working days.",
      quote: null,
    },
    passages.returns,
  ),
  locatePair(
    {
      question: "Who approves flights?",
      answer: "Flights need the approval of the head of department.",
      quote: null,
    },
    passages.travel,
  ),
].flatMap((pair) => pair ?? []);
const examples = buildExamples(pairs, pool, { unanswerableShare: 1 });
const last = (example: { messages: { content: string }[] }) => example.messages.at(-1)?.content ?? "";

describe("buildExamples", () => {
  it("gives every pair a closed-book, a grounded and an unanswerable form", () => {
    expect(pairs).toHaveLength(2);
    expect(examples.map((example) => example.metadata.kind)).toEqual([
      "closed-book",
      "grounded",
      "unanswerable",
      "closed-book",
      "grounded",
      "unanswerable",
    ]);
  });

  it("teaches grounded answers that chat itself would verify and cite", () => {
    for (const example of examples.filter((each) => each.metadata.kind === "grounded")) {
      const shown = example.metadata.chunkIds.flatMap((id) => pool.find((passage) => passage.chunkId === id) ?? []);
      const pair = pairs.find((each) => each.id === example.metadata.pairId);
      const outcome = groundAnswer({
        question: pair?.question ?? "",
        answer: last(example),
        passages: shown,
      });
      expect(outcome.kind).toBe("grounded");
      const [quote] = parseAnswer(last(example)).quotes;
      expect(shown[(quote?.number ?? 0) - 1]?.text).toContain(quote?.text);
      expect(example.messages.at(-2)?.content).toContain(quote?.text);
    }
  });

  it("teaches the refusal only where no shown passage is the right one", () => {
    for (const example of examples.filter((each) => each.metadata.kind === "unanswerable")) {
      const pair = pairs.find((each) => each.id === example.metadata.pairId);
      expect(example.metadata.chunkIds).not.toContain(pair?.documentId);
      expect(last(example)).toBe("I don't know: the documents do not say.");
    }
  });

  it("names every document whose text an example shows", () => {
    for (const { metadata } of examples) for (const id of metadata.chunkIds) expect(metadata.documentIds).toContain(id);
  });

  it("gives the same examples for the same seed and leaves other pairs' examples alone when one is added", () => {
    expect(buildExamples(pairs, pool, { unanswerableShare: 1 })).toEqual(examples);
    expect(buildExamples(pairs.slice(1), pool, { unanswerableShare: 1 })).toEqual(examples.slice(3));
    const orders = new Set(
      [1, 2, 3, 4, 5, 6].map((seed) =>
        buildExamples(pairs, pool, { seed })
          .map((each) => each.metadata.chunkIds.join())
          .join(";"),
      ),
    );
    expect(orders.size).toBeGreaterThan(1);
  });

  it("asks each pair once where a share is given", () => {
    expect(buildExamples(pairs, pool, { grounded: 1, unanswerableShare: 0 }).map((each) => each.metadata.kind)).toEqual(
      ["grounded", "grounded"],
    );
    expect(buildExamples(pairs, pool, { grounded: 0, unanswerableShare: 0 }).map((each) => each.metadata.kind)).toEqual(
      ["closed-book", "closed-book"],
    );
  });
});

describe("writing a dataset", () => {
  const rows: DatasetExample[] = examples.map((example) => ({ ...example, split: "train" }));

  it("names a dataset by the SHA-256 of its download", () => {
    expect(datasetDigest(rows)).toBe(createHash("sha256").update(toMessagesJsonl(rows)).digest("hex"));
    const reordered = rows.map(({ split, metadata, messages }) => ({
      messages,
      split,
      metadata: Object.fromEntries(Object.entries(metadata).reverse()) as typeof metadata,
    }));
    expect(datasetDigest(reordered)).toBe(datasetDigest(rows));
    expect(datasetDigest(rows.slice(1))).not.toBe(datasetDigest(rows));
  });

  it.each(["messages", "alpaca", "sharegpt", "prompt-completion"] as const)(
    "writes %s as one JSON object a line, each with question and answer",
    (format) => {
      const lines = writeDataset(rows, format).trimEnd().split("\n");
      expect(lines).toHaveLength(rows.length);
      for (const [index, line] of lines.entries()) {
        const row = rows[index];
        const written = JSON.stringify(JSON.parse(line));
        expect(written).toContain(JSON.stringify(row ? last(row) : "").slice(1, -1));
      }
    },
  );

  it("quotes CSV fields and takes the sting out of formulas", () => {
    const [example] = rows;
    if (!example) throw new Error("no example");
    const csv = writeDataset(
      [
        {
          ...example,
          messages: [
            { role: "user", content: '=HYPERLINK("http://x")' },
            { role: "assistant", content: "a\nb" },
          ],
        },
      ],
      "csv",
    );
    expect(csv.split("\r\n")[1]).toContain(`"'=HYPERLINK(""http://x"")","a\nb"`);
  });
});
