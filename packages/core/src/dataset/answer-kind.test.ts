import { describe, expect, it } from "vitest";
import { bareAmount, comparedWithItself, missingKind, onlySuffers } from "./answer-kind.ts";

describe("missingKind", () => {
  it.each([
    [
      "How long does it take to charge a battery?",
      "A battery is changed after 900 charging cycles.",
      "a length of time",
    ],
    ["How long is the hall?", "The hall is painted green.", "a length"],
    ["How often is the filter changed?", "The filter has a mesh of 40 threads.", "a frequency"],
    ["When is the invoice due?", "The invoice names the supplier.", "a time"],
    ["Who approves flights?", "Flights need a written approval.", "a person or a role"],
    ["Where is the seal kit?", "The seal kit holds two rings.", "a place"],
  ])("says what the answer lacks: %s", (question, answer, wanted) => {
    expect(missingKind(question, answer)).toBe(wanted);
  });

  it.each([
    ["How long does it take to charge a battery?", "A battery is full after two hours."],
    ["How long do refunds take?", "Refunds are paid within 5 working days."],
    ["How long is the warranty?", "The warranty is 41 months."],
    ["How long must a password be?", "A password has at least fourteen characters."],
    ["How often is the filter changed?", "The filter is changed every 36 hours."],
    ["How often do we clean it?", "It is cleaned twice a week."],
    ["When is the callback invoked?", "The callback is invoked whenever a row changes."],
    ["When are invoices due?", "Invoices are due 14 days after delivery."],
    ["Who approves flights?", "Flights need approval by the head of department."],
    ["Who founded the company?", "The company was founded in 1987 by the engineer Ragna Tveitmo."],
    ["Who sells the Drip?", "Ostrevik sells the Drip."],
    ["Where do bees store honey?", "Bees store honey in the comb."],
    ["What does it cost?", "It is green."],
    ["Wer zahlt?", "Das ist so."],
  ])("lets an answer of the kind stand: %s", (question, answer) => {
    expect(missingKind(question, answer)).toBeNull();
  });
});

describe("comparedWithItself", () => {
  it.each([
    ["What is the difference between a virtual table and a virtual table?", "virtual table"],
    ["How does the pump differ from the pump?", "pump"],
    ["What is the difference between a virtual table and a table?", null],
    ["What is the difference between a pump and a pump motor?", null],
  ])("finds what %j compares", (question, expected) => {
    expect(comparedWithItself(question)).toBe(expected);
  });
});

describe("onlySuffers", () => {
  const question = "What does a virtual table do?";
  it.each([
    ["A virtual table is destroyed using the ordinary DROP TABLE syntax.", "virtual table"],
    ["A virtual table can be created by a module.", "virtual table"],
    ["A virtual table is used to read other files.", null],
    ["A virtual table presents an interface of SQL.", null],
  ])("tells what a thing does from what is done to it: %s", (answer, expected) => {
    expect(onlySuffers(question, answer)).toBe(expected);
  });
});

describe("bareAmount", () => {
  it("is found where a question asks about a number that only the document's reader knows", () => {
    expect(bareAmount("What is the accuracy of the 4 percent?")).toBe("the 4 percent");
    expect(bareAmount("What is the weight of the Drip 3?")).toBeNull();
    expect(bareAmount("What is the price of the 2 euro coin set?")).toBeNull();
  });
});
