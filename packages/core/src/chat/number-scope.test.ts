import { describe, expect, it } from "vitest";
import { groundAnswer } from "./ground-answer.ts";
import type { Passage } from "./passage.ts";
import { passage } from "./passages.fixture.ts";

const moving = passage(
  "moving",
  "Leave and absence > How many paid days does an employee get for moving house?",
  "An employee gets 2 paid days for moving house.",
);
const yearly = passage("yearly", "Working hours", "Every employee gets 32 days of leave per year.");
const german = passage("german", "Arbeitszeit", "Beschäftigte haben 32 Urlaubstage im Jahr.", { language: "de" });
const gifts = passage("gifts", "Gifts > Birthday", "An employee gets 20 euros for a birthday.");
const meals = passage("meals", "Travel > Meals", "The allowance is 28 euros a day.");

const kindOf = (question: string, answer: string, passages: Passage[]) =>
  groundAnswer({ question, answer, passages }).kind;

describe("a claim with a number", () => {
  const question = "How many days of leave do I get per year?";

  it("is not taken from a sentence that says nothing of the period it is counted by", () => {
    expect(kindOf(question, "I get 2 paid days per year.", [moving, german])).toBe("quoted");
    expect(kindOf("What is the allowance per month?", "The allowance is 28 euros per month.", [meals])).toBe("quoted");
  });

  it("may name the period in another form", () => {
    expect(kindOf("What is the daily allowance?", "The daily allowance is 28 euros.", [meals])).toBe("grounded");
    expect(kindOf("What is the allowance per day?", "The allowance is 28 euros per day.", [meals])).toBe("grounded");
  });

  it("is not taken from a sentence that gives it for an occasion which nobody asked about", () => {
    expect(kindOf("How many days of leave do I get?", "You get 2 paid days of leave.", [moving, german])).toBe(
      "quoted",
    );
    expect(kindOf("How many paid days do I get for moving house?", "You get 2 paid days.", [moving])).toBe("grounded");
    const hall = passage(
      "hall",
      "About us",
      "The hall was bought in 1987; the heron in the logo stands for the birds.",
    );
    expect(kindOf("Who bought the hall, and when?", "The hall was bought in 1987.", [hall])).toBe("grounded");
    expect(kindOf("How many euros does an employee get?", "An employee gets 20 euros.", [gifts])).toBe("grounded");
  });

  it("gives way to a sentence that holds more of the question and counts the same with another number", () => {
    const training = passage("training", "Leave and absence", "An employee gets 5 paid days on training leave.");
    expect(kindOf(question, "An employee gets 5 paid days.", [training])).toBe("grounded");
    const outcome = groundAnswer({ question, answer: "An employee gets 5 paid days.", passages: [training, yearly] });
    expect(outcome).toMatchObject({ kind: "quoted", citations: [{ quote: yearly.text }] });
    expect(kindOf(question, "You get 32 days of leave per year.", [training, yearly])).toBe("grounded");
  });
});
