import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { documentText, type Element } from "../document/element.ts";
import { extractPairs } from "./extract-pairs.ts";

const element = (kind: Element["kind"], text: string, rest: Partial<Element> = {}): Element => ({
  kind,
  text,
  section: [],
  ...rest,
});
const extract = (elements: Element[], language = "en") =>
  extractPairs({ documentId: "d", language, parsed: { elements } });
const pairsIn = (elements: Element[], language = "en") =>
  extract(elements, language).map(({ question, answer }) => [question, answer]);

describe("extractPairs", () => {
  it("reads a heading that asks and the body that answers", () => {
    const pairs = extract([
      element("heading", "FAQ", { level: 1 }),
      element("heading", "How long is the warranty?", { level: 2, section: ["FAQ"], page: 3 }),
      element("paragraph", "Two years.", {
        section: ["FAQ", "How long is the warranty?"],
        page: 3,
      }),
      element("list", "- pump\n- motor", {
        section: ["FAQ", "How long is the warranty?"],
        page: 3,
      }),
      element("heading", "Contact", { level: 2 }),
      element("paragraph", "Call us."),
    ]);
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({
      question: "How long is the warranty?",
      answer: "Two years.\n\n- pump\n- motor",
      origin: "extracted",
      source: {
        page: 3,
        section: ["FAQ", "How long is the warranty?"],
        quote: "Two years.\n\n- pump\n- motor",
      },
    });
  });

  it.each([
    ["3.1.9. What happens at a release?", "What happens at a release?"],
    ["12.4 Are there logs?", "Are there logs?"],
    ["4) Where is the log?", "Where is the log?"],
    ["3 pumps or 4?", "3 pumps or 4?"],
    ["2.5 bar or more: is that safe?", "2.5 bar or more: is that safe?"],
  ])("asks what a heading asks, without its number: %s", (heading, question) => {
    const pairs = pairsIn([element("heading", heading, { level: 2 }), element("paragraph", "It is as it was.")]);
    expect(pairs).toEqual([[question, "It is as it was."]]);
  });

  it("leaves a question heading without a body alone", () => {
    expect(
      pairsIn([element("heading", "Who are we?"), element("heading", "Team"), element("paragraph", "Ann.")]),
    ).toEqual([]);
  });

  it.each([
    ["Q: Where is it made?\nA: In Ghent.", "en"],
    ["**Question 1:** Where is it made?\n**Answer 1:** In Ghent.", "en"],
    ["> Q. Where is it made?\n> A. In Ghent.", "en"],
    ["F: Wo wird es gebaut?\nA: In Gent.", "de"],
    ["Frage: Wo wird es gebaut?\nAntwort: In Gent.", "de"],
    ["Pregunta: ¿Dónde se fabrica?\nRespuesta: En Gante.", "es"],
    ["Q : Où est-ce fabriqué ?\nR : À Gand.", "fr"],
  ])("reads marked lines: %j", (text, language) => {
    const [pair] = extract([element("paragraph", text)], language);
    expect(pair?.question).toMatch(/\?$/);
    expect(pair?.answer).toMatch(/^(In|En|À) G\p{L}+\.$/u);
  });

  it("reads a question and its answer from two paragraphs, and stops where the document goes on", () => {
    const text = [
      element("paragraph", "Q: When do you open?"),
      element("paragraph", "A: At nine."),
      element("paragraph", "Our shop is old."),
    ];
    expect(pairsIn(text)).toEqual([["When do you open?", "At nine."]]);
  });

  it("does not take a lettered list for questions and answers", () => {
    expect(pairsIn([element("list", "a) first\nb) second\nc) third\nd) fourth\na) fifth")])).toEqual([]);
    expect(pairsIn([element("paragraph", "A: an answer that nobody asked for")])).toEqual([]);
  });

  it("reads FAQ tables by their column names and cites the answer's cell", () => {
    const table =
      "| No. | Frage | Antwort |\n| --- | --- | --- |\n| 1 | Wann ist offen? | Ab 9 Uhr \\| täglich |\n| 2 | Leer? |  |";
    const [pair, ...rest] = extract([element("table", table, { container: "FAQ" })], "de");
    expect(rest).toEqual([]);
    expect(pair).toMatchObject({
      question: "Wann ist offen?",
      answer: "Ab 9 Uhr | täglich",
      source: { quote: "Ab 9 Uhr \\| täglich", container: "FAQ" },
    });
    expect(extract([element("table", "| Name | Price |\n| --- | --- |\n| a | b |")])).toEqual([]);
  });

  it("reads JSON arrays and lines with question and answer fields", () => {
    const json =
      '[{"question": "Who?", "answer": "Ann \\"A\\" Lee"}, {"id": 2}, {"Question": "When?", "Answer": "Now"}]';
    expect(pairsIn([element("code", json)])).toEqual([
      ["Who?", 'Ann "A" Lee'],
      ["When?", "Now"],
    ]);
    expect(pairsIn([element("code", '{"q": "Who?", "a": "Ann"}\n{"q": "When?", "a": "Now"}')])).toHaveLength(2);
    expect(pairsIn([element("code", '{"faq": [{"q": "Who?", "a": "Ann"}]}')])).toHaveLength(1);
    expect(pairsIn([element("code", '{"broken": ')])).toEqual([]);
  });

  it("reads a record of fields, and the long answer that stands under a heading of its own", () => {
    const record = element("list", "- id: 3\n- question: When do you open?\n- answer: At nine.\n- topic: hours");
    expect(pairsIn([record])).toEqual([["When do you open?", "At nine."]]);
    const long = [
      element("list", "- question: When do you open?\n- topic: hours"),
      element("heading", "answer"),
      element("paragraph", "At nine, and later on Sundays."),
    ];
    expect(pairsIn(long)).toEqual([["When do you open?", "At nine, and later on Sundays."]]);
  });

  it("cites exactly the text that it quotes, and gives equal pairs equal ids, for any document", () => {
    const line = fc.constantFrom(
      "Q: Is it so?",
      "A: It is.",
      "Question: Why?",
      "Answer: Because.",
      "plain text",
      "",
      "- item",
      "| question | answer |",
      "| --- | --- |",
      "| Q? | A |",
    );
    const elements = fc.array(
      fc.record({
        kind: fc.constantFrom<Element["kind"]>("paragraph", "heading", "table", "list", "code"),
        text: fc.oneof(
          fc.array(line, { maxLength: 8 }).map((lines) => lines.join("\n")),
          fc.string(),
        ),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(elements, (list) => {
        const all = list.map(({ kind, text }) => element(kind, text));
        const text = documentText(all);
        const pairs = extract(all);
        for (const pair of pairs) {
          expect(text.slice(pair.source.charStart, pair.source.charEnd)).toBe(pair.source.quote);
          expect(pair.source.quote.trim()).not.toBe("");
        }
        expect(extract(all)).toEqual(pairs);
      }),
    );
  });
});
