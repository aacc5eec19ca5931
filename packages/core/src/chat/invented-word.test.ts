import { describe, expect, it } from "vitest";
import { groundAnswer } from "./ground-answer.ts";
import { inventedWord } from "./invented-word.ts";
import { passage } from "./passages.fixture.ts";
import { readPassages } from "./support.ts";

const limits = passage(
  "limits",
  "Limits > Maximum number of attached databases",
  "The maximum number of attached databases of one connection is 10 by default in every official build. Manage each document by itself.",
);

describe("inventedWord", () => {
  it("keeps a claim with one from being shown, however many of its other words stand in the passage", () => {
    const question = "What is the maximum number of attached databases by default?";
    const claim = "The maximum number of attachedabases of one connection is 10 by default in every official build.";
    const outcome = groundAnswer({ question, answer: claim, passages: [limits] });
    expect(outcome).toMatchObject({ kind: "quoted", unsupported: [claim] });
    const right = claim.replace("attachedabases", "attached databases");
    expect(groundAnswer({ question, answer: right, passages: [limits] }).kind).toBe("grounded");
  });

  it.each([
    ["The attachedabases are few.", "attachedabases"],
    ["The attached database is one of few.", null],
    ["The attachment and its management are few.", null],
    ["The surprisingly unfamiliar subsystem is one.", null],
  ])("tells two words run together from a word of the model's own: %s", (claim, expected) => {
    expect(inventedWord(claim, "How many?", readPassages([limits]))).toBe(expected);
  });

  it("lets a question's own word stand, and a language that runs words together", () => {
    expect(inventedWord("The attachedabases are few.", "What are attachedabases?", readPassages([limits]))).toBeNull();
    const german = passage("de", "Urlaub", "Der Urlaub beträgt 28 Tage.", { language: "de" });
    expect(inventedWord("Es sind 28 Urlaubstage.", "Wie viel?", readPassages([german]))).toBeNull();
  });
});
