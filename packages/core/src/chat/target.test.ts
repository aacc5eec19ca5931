import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groundAnswer, quotableSentences } from "./ground-answer.ts";
import type { Passage } from "./passage.ts";
import { passage } from "./passages.fixture.ts";
import { createSentenceGate } from "./sentence-gate.ts";

const about = passage(
  "about",
  "About Ostrevik Medical",
  "The company was founded in 1987 by the engineer Ragna Tveitmo in a former herring hall. Nine people sit on the works council.",
);
const legal = passage("legal", "Questions > Legal notice", "Ostrevik Medical is the sole owner of this material.");
const limits = passage(
  "limits",
  "Purchasing policy > Approval limits",
  "| Sum of the order | Approved by |\n| --- | --- |\n| up to 750 euros | team lead |\n| up to 6,000 euros | department head |\n| up to 85,000 euros | controller |",
);
const party = passage(
  "party",
  "Summer party",
  "The summer party takes place on 11 July on the shore. It starts at 16:00. The canteen has new chairs.",
);
const notes = passage(
  "notes",
  "Ticket notes",
  "Q: How is a Drip 3 put into service mode?\nA: Press Menu and Stop together.\n\nThe Drip 3 is a pump.",
);

/** Cosines as all-MiniLM-L6-v2 gives them, by a part of the sentence; 0.2 for the others. */
function ground(question: string, answer: string, found: Passage[], cosines: Record<string, number>) {
  const similarity = new Map(
    quotableSentences(found).map((text) => [
      text,
      Object.entries(cosines).find(([part]) => text.includes(part))?.[1] ?? 0.2,
    ]),
  );
  return groundAnswer({ question, answer, passages: found, similarity });
}

describe("an answer that the passages support", () => {
  const founded = { "was founded in 1987": 0.81, "sole owner": 0.71 };

  it("gives way to the best sentence, as a quote, when it answers something else", () => {
    const outcome = ground(
      "Who founded Ostrevik Medical, and in which year?",
      "Ostrevik Medical is the sole owner of this material.",
      [about, legal],
      founded,
    );
    expect(outcome).toMatchObject({ kind: "quoted", unsupported: [legal.text] });
    expect(outcome.citations[0]?.quote).toContain("founded in 1987 by the engineer Ragna Tveitmo");
  });

  it("is shown when it answers, and so is what adds to it, but nothing that speaks of another matter", () => {
    const draft =
      "The summer party takes place on 11 July on the shore. It starts at 16:00. The canteen has new chairs.";
    const cosines = { "takes place": 0.8, "starts at": 0.71, canteen: 0.2 };
    expect(ground("When and where is the summer party?", draft, [party], cosines).text).toBe(
      "The summer party takes place on 11 July on the shore. [1] It starts at 16:00. [2]",
    );
    expect(ground("Where is the summer party?", "It starts at 16:00.", [party], cosines).kind).toBe("quoted");
  });

  it("needs the number or the name that was asked for when the best sentence has one", () => {
    const cosines = { "was founded in 1987": 0.81 };
    const answer = "The company was founded in a former herring hall.";
    expect(ground("When was the company founded?", answer, [about], cosines).kind).toBe("quoted");
    expect(ground("Where was the company founded?", answer, [about], cosines).kind).toBe("grounded");
    expect(ground("Who founded the company?", "Ragna Tveitmo founded the company.", [about], cosines).kind).toBe(
      "grounded",
    );
  });

  it("may not choose among rows that the question cannot tell apart: all of them are quoted", () => {
    const cosines = { "up to": 0.69 };
    const outcome = ground(
      "Who has to approve an order of 50,000 euros?",
      "Orders of up to 750 euros are approved by the team lead.",
      [limits, about, party, notes],
      cosines,
    );
    expect(outcome.kind).toBe("quoted");
    expect(outcome.text).toContain("Approved by: team lead · Sum of the order: up to 6,000 euros");
    expect(outcome.text).toContain("Approved by: controller");
    expect(outcome.citations).toHaveLength(1);
  });
});

describe("a question that no passage answers", () => {
  it.each([
    ["What is the share price of Ostrevik Medical?", { "sole owner": 0.64 }],
    ["What is the name of the canteen's head cook?", { canteen: 0.42 }],
  ])("is refused although a near sentence could be quoted: %s", (question, cosines) => {
    const found = [{ ...legal, cosine: 0.6 }, { ...party, cosine: 0.5 }, about];
    const outcome = ground(question, "Ostrevik Medical is the sole owner of this material.", found, cosines);
    expect(outcome).toMatchObject({ kind: "refused", reason: "NOTHING_RELEVANT", citations: [] });
  });

  it("is refused from the score that the collection's embedding model needs", () => {
    const similarity = new Map(quotableSentences([about]).map((text) => [text, 0.4]));
    const request = { question: "Who pays for parking?", answer: "", passages: [about], similarity };
    expect(groundAnswer(request).kind).toBe("refused");
    expect(groundAnswer({ ...request, target: { minScore: 0.7, maxGap: 0.5 } }).kind).toBe("quoted");
  });
});

describe("quotableSentences", () => {
  it("puts an answer behind the question that stands right before it, and no later sentence", () => {
    expect(quotableSentences([notes])).toEqual([
      "Ticket notes: Q: How is a Drip 3 put into service mode? A: Press Menu and Stop together.",
      "Ticket notes: The Drip 3 is a pump.",
    ]);
  });
});

describe("createSentenceGate", () => {
  it("holds back what is off target, so that what was streamed equals the whole answer's grounding", () => {
    const found = [about, legal, party, limits];
    const cosine = fc.double({ min: -0.2, max: 1, noNaN: true });
    const parts = fc.array(
      fc.constantFrom(
        "The summer party takes place on 11 July on the shore. ",
        "It starts at 16:00. ",
        "Ostrevik Medical is the sole owner of this material. ",
        "Orders of up to 750 euros are approved by the team lead. ",
        '\n[1] "Nine people sit on the works council."',
        "I don't know. ",
      ),
      { maxLength: 6 },
    );
    const question = fc.constantFrom("When is the summer party?", "Who approves an order?", "Who owns this material?");
    fc.assert(
      fc.property(question, parts, fc.array(cosine, { minLength: 12, maxLength: 12 }), (asked, said, cosines) => {
        const answer = said.join("");
        const similarity = new Map(quotableSentences(found).map((text, index) => [text, cosines[index] ?? 0]));
        const request = { question: asked, passages: found, similarity };
        const gate = createSentenceGate(request);
        let shown = "";
        for (let at = 0; at < answer.length; at += 7) shown += gate.push(answer.slice(at, at + 7));
        const { text, outcome } = gate.end();
        expect(outcome).toEqual(groundAnswer({ ...request, answer }));
        expect(shown + text).toBe(outcome.text);
      }),
      { numRuns: 150 },
    );
  });
});
