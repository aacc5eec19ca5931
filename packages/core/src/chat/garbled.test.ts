import { describe, expect, it } from "vitest";
import { groundAnswer } from "./ground-answer.ts";
import type { Passage } from "./passage.ts";
import { passage, passages } from "./passages.fixture.ts";

const warranty = passage(
  "warranty",
  "Warranty and returns",
  "The ventilator Breath 5 carries a warranty of 30 months, the monitor Pulse 8 one of 54 months. A repaired part is covered for another 200 days.",
);
const ground = (question: string, answer: string, found: Passage[]) =>
  groundAnswer({ question, answer, passages: found });

describe("a sentence copied together without its verb", () => {
  it("gives way to the sentence that it was copied from", () => {
    const claim = "The warranty of the Pulse 8 one of 54 months.";
    const outcome = ground("Compare the warranty of the Pulse 8 and the Breath 5", claim, [warranty]);
    expect(outcome).toMatchObject({ kind: "quoted", unsupported: [claim] });
    expect(outcome.citations[0]?.quote).toContain("The ventilator Breath 5 carries a warranty of 30 months");
  });

  it.each([
    ["The warranty of the Pulse 8 is 54 months.", warranty],
    ["The Pulse 8 covers 54 months.", { ...warranty, text: "The Pulse 8 covers 54 months of warranty." }],
    ["The Pulse 8 carries a warranty of 54 months.", warranty],
    ["A warranty of 30 months.", warranty],
    ["54 months.", warranty],
    ["The warranty of the Pulse 8, 54 months", warranty],
    ["Flights need approval by the head of department.", passages.travel],
    ["The Kestrel 40 pump carries a two-year warranty.", passages.warranty],
  ])("is told from a whole sentence and from a short answer: %s", (claim, found) => {
    const question = "What about the warranty of the Pulse 8, the Kestrel 40 and flights?";
    expect(ground(question, claim, [found]).kind).toBe("grounded");
  });
});
