import { describe, expect, it } from "vitest";
import { passages } from "../chat/passages.fixture.ts";
import { checkPair } from "./check-pair.ts";
import { dedupeQuestions } from "./dedupe-questions.ts";
import { answerableSentences, locatePair } from "./locate-pair.ts";
import type { Pair } from "./pair.ts";

const generated = (question: string, answer: string, passage = passages.returns): Pair => {
  const pair = locatePair({ question, answer, quote: null }, passage);
  const charEnd = passage.charStart + passage.text.length;
  return (
    pair ?? {
      id: "p",
      documentId: "d",
      question,
      answer,
      origin: "generated",
      language: "en",
      source: {
        charStart: passage.charStart,
        charEnd,
        quote: passage.text,
        section: [],
        page: null,
        container: null,
      },
    }
  );
};
const verdict = (question: string, answer: string, passage = passages.returns) => {
  const result = checkPair(generated(question, answer, passage), passage);
  return result.status === "kept" ? "kept" : result.code;
};

describe("checkPair", () => {
  it.each([
    [
      "Within how many days can unused goods be sent back?",
      "Unused goods can be sent back within 30 days of delivery.",
    ],
    ["Can opened software be returned?", "No, opened software cannot be returned."],
    ["How are refunds paid?", "Refunds are paid to the original card within 5 working days."],
  ])("keeps a supported pair: %s", (question, answer) => {
    expect(verdict(question, answer)).toBe("kept");
  });

  it.each([
    [
      "How many days do I have to return goods?",
      "You have 60 days to return unused goods after delivery.",
      "UNSUPPORTED",
    ],
    ["Can opened software be returned?", "Opened software can be returned.", "UNSUPPORTED"],
    ["Who founded the company in Berlin?", "Unused goods can be sent back within 30 days of delivery.", "UNSUPPORTED"],
    ["How long may Kestrel customers wait for refunds?", "Refunds are paid within 5 working days.", "UNSUPPORTED"],
    ["According to the passage, when are refunds paid?", "Refunds are paid within 5 working days.", "NOT_STANDALONE"],
    ["What does this document say about refunds?", "Refunds are paid within 5 working days.", "NOT_STANDALONE"],
    ["How long does it take?", "Refunds are paid within 5 working days.", "NOT_STANDALONE"],
    ["Refunds are paid within 5 working days.", "Refunds are paid within 5 working days.", "NOT_A_QUESTION"],
    ["What is the answer to this question?", "Opened software cannot be returned.", "UNSUPPORTED"],
    ["How much opened software can be returned?", "Opened software cannot be returned.", "UNSUPPORTED"],
    ["What is opened software?", "Opened software cannot be returned.", "UNSUPPORTED"],
    ["How often are refunds paid?", "Refunds are paid to the original card.", "UNSUPPORTED"],
    ["What does opened software do?", "Opened software cannot be returned.", "UNSUPPORTED"],
    [
      "What is the difference between opened software and opened software?",
      "Opened software cannot be returned.",
      "NOT_A_QUESTION",
    ],
    ["How are refunds paid in the 5 days?", "Refunds are paid within 5 working days.", "NOT_STANDALONE"],
    [
      "How are refunds paid to an originalcard in working days?",
      "Refunds are paid to the original card within 5 working days.",
      "UNSUPPORTED",
    ],
    ["What returns?", "Unused goods.", "TOO_SHORT"],
    ["How are refunds paid?", "...", "TOO_SHORT"],
    ["How are refunds paid?", "How are refunds paid?", "REPEATS_QUESTION"],
    ["How are refunds paid?", "Refunds are paid.", "REPEATS_QUESTION"],
    ["How are refunds within 5 working days paid?", "Refunds are paid within 5 working days.", "REPEATS_QUESTION"],
    ["How are refunds paid?", "I don't know: the documents do not say.", "REFUSAL"],
    ["Who answers at [EMAIL_1] about refunds?", "Refunds are paid within 5 working days.", "MASKED"],
    ["Where do bees store honey?", "Refunds are paid within 5 working days.", "ECHO"],
    [
      "Wie lange dauert es, bis die Erstattung auf der Karte ist?",
      "Die Erstattung ist in 5 Tagen auf der Karte.",
      "WRONG_LANGUAGE",
    ],
    [`How ${"very ".repeat(80)}long do refunds take?`, "Refunds are paid within 5 working days.", "TOO_LONG"],
  ])("drops %j -> %j as %s", (question, answer, code) => {
    expect(verdict(question, answer)).toBe(code);
  });

  it("keeps a manual's [OPTIONS], which no masking left behind", () => {
    expect(
      verdict("How many working days do refunds with [OPTIONS] take?", "Refunds are paid within 5 working days."),
    ).not.toBe("MASKED");
  });

  it("says why in a sentence", () => {
    const result = checkPair(
      generated("What does this policy say about refunds?", "Refunds are paid within 5 working days."),
      passages.returns,
    );
    expect(result).toEqual({
      status: "dropped",
      code: "NOT_STANDALONE",
      reason: 'The question says "this policy", which only a reader of the document understands.',
    });
  });

  it("keeps an extracted answer as its author wrote it, even a bare yes", () => {
    const pair: Pair = {
      ...generated("Is the Kestrel 40 made in Ghent?", "Yes."),
      origin: "extracted",
    };
    expect(checkPair(pair, passages.warranty)).toEqual({ status: "kept" });
  });
});

describe("locatePair", () => {
  it("names the sentence that proves the answer, with its offsets in the document", () => {
    const pair = locatePair(
      {
        question: "How are refunds paid?",
        answer: "Refunds are paid to the original card.",
        quote: null,
      },
      passages.returns,
    );
    expect(pair?.source.quote).toBe("Refunds are paid to the original card within 5 working days.");
    expect(passages.returns.text.slice((pair?.source.charStart ?? 0) - 100, (pair?.source.charEnd ?? 0) - 100)).toBe(
      pair?.source.quote,
    );
  });

  it("finds nothing for an answer of which one sentence is invented", () => {
    expect(
      locatePair(
        {
          question: "q",
          answer: "Refunds are paid to the original card. They include a voucher for 10 euros.",
          quote: null,
        },
        passages.returns,
      ),
    ).toBeNull();
  });

  it("ignores a quote that does not stand in the passage", () => {
    const pair = locatePair(
      {
        question: "q",
        answer: "Opened software cannot be returned.",
        quote: "Everything can be returned.",
      },
      passages.returns,
    );
    expect(pair?.source.quote).toBe("Opened software cannot be returned.");
  });

  it("offers whole statements to a small teacher, not labels or sentences that point back", () => {
    const passage = {
      ...passages.returns,
      text: "Returns:\n\nGoods go back within 30 days. They must be unused and clean.\n\nWhat about software?",
    };
    expect(answerableSentences(passage).map((sentence) => sentence.text)).toEqual(["Goods go back within 30 days."]);
  });
});

describe("dedupeQuestions", () => {
  const everyone = () => "everyone";
  const ask = (question: string, id: string): Pair => ({
    ...generated(question, "Refunds are paid."),
    id,
  });

  it("keeps the earliest of questions that differ in case, punctuation or a word in ten", () => {
    const { kept, dropped } = dedupeQuestions(
      [
        ask("How are refunds paid?", "1"),
        ask("how are refunds paid", "2"),
        ask("Within how many days can unused goods be sent back to the shop?", "3"),
        ask("Within how many days can unused goods be sent back to your shop?", "4"),
      ],
      everyone,
    );
    expect(kept.map((pair) => pair.id)).toEqual(["1", "3"]);
    expect(dropped.map((drop) => [drop.ref, drop.code])).toEqual([
      ["2", "DUPLICATE_QUESTION"],
      ["4", "DUPLICATE_QUESTION"],
    ]);
  });

  it("quotes another document's question only where the two have the same readers", () => {
    const twice = (second: string) => [
      ask("How are refunds paid?", "1"),
      { ...ask("how are refunds paid", "2"), documentId: second },
    ];
    const reasonOf = (second: string) =>
      dedupeQuestions(twice(second), (documentId) => (documentId === "secret" ? "few" : "all")).dropped[0]?.reason;
    expect(reasonOf("other")).toBe('"how are refunds paid" is asked already as "How are refunds paid?".');
    expect(reasonOf("secret")).toBe('"how are refunds paid" is asked already by a document with other readers.');
  });

  it("keeps questions apart that differ in a number, a name or a negation", () => {
    const questions = [
      "What does the plan for the first group of 10 people cost in one year?",
      "What does the plan for the first group of 20 people cost in one year?",
      "Which of the parts of the Kestrel pump in the hall are covered by frost insurance?",
      "Which of the parts of the Merlin pump in the hall are covered by frost insurance?",
      "Which of the parts in the hall that we rent are covered by insurance?",
      "Which of the parts in the hall that we rent are not covered by insurance?",
    ];
    expect(
      dedupeQuestions(
        questions.map((question, index) => ask(question, String(index))),
        everyone,
      ).kept,
    ).toHaveLength(questions.length);
  });
});
