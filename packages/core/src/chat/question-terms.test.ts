import { describe, expect, it } from "vitest";
import {
  addsNumber,
  addsPerson,
  isCommand,
  languageOfQuestion,
  questionTerms,
  wantsCommand,
  wantsNumber,
  wantsPerson,
} from "./question-terms.ts";

describe("questionTerms", () => {
  it("reads a question's function words by its own language, whatever the passage's", () => {
    expect([...questionTerms("What is the share price of Ostrevik Medical?", "de")]).toHaveLength(4);
    expect([...questionTerms("Wie viele Urlaubstage haben Beschäftigte?", "en")]).toHaveLength(2);
  });

  it("leaves out words that only ask for a measure and keeps an acronym that is spelt like a function word", () => {
    expect([...questionTerms("How much does the Drip 3 weigh?", "en")]).toEqual(["drip", "3", "weigh"]);
    expect([...questionTerms("Who heads the IT department?", "en")]).toContain("it");
  });
});

describe("languageOfQuestion", () => {
  it.each([
    ["What is the share price of Ostrevik Medical?", "en"],
    ["Bis wann muss der Resturlaub genommen werden?", "de"],
    ["Combien de jours avez-vous pour rendre un article ?", "fr"],
    ["KS-7", null],
  ])("tells %j", (question, language) => {
    expect(languageOfQuestion(question)).toBe(language);
  });
});

describe("what a question wants", () => {
  it.each(["How much does it weigh?", "Wie lang ist die Arbeitszeit?", "When is it due?", "What does a sensor cost?"])(
    "is a number: %s",
    (question) => expect(wantsNumber(question)).toBe(true),
  );

  it.each(["How is it put into service mode?", "Which form is enclosed?", "Wie wird das Gerät gereinigt?"])(
    "is no number: %s",
    (question) => expect(wantsNumber(question)).toBe(false),
  );

  it("is a person where it starts with who, not in the Dutch word for it, which is German for how", () => {
    expect(wantsPerson("Who is the compliance officer?")).toBe(true);
    expect(wantsPerson("Wer leitet das Werk?")).toBe(true);
    expect(wantsPerson("Wie lang ist die Arbeitszeit?")).toBe(false);
  });

  it.each(["Which command shows who owns a file?", "Mit welchem Befehl wird neu gestartet?", "Quelle commande ?"])(
    "is a command: %s",
    (question) => expect(wantsCommand(question)).toBe(true),
  );

  it("is no command where somebody commands, or is in command", () => {
    expect(wantsCommand("Who commanded the ship?")).toBe(false);
    expect(wantsCommand("Which port is the default?")).toBe(false);
  });

  it.each([
    "$ sudo ls",
    "# apt update",
    "root@host:~# ls -l",
    "sudo reboot",
    "ipa-advise enable --all | sh",
    "C:\\> dir",
  ])("is brought by a line to type: %s", (text) => expect(isCommand(text)).toBe(true));

  it.each(["# 12 chairs are free.", "A list - of things", "use of the -m argument is needed.", "$20", "price – low"])(
    "is not brought by other text: %s",
    (text) => expect(isCommand(text)).toBe(false),
  );

  it("is brought by what the question does not say itself", () => {
    const question = "How much does the Drip 3 weigh?";
    expect(addsNumber("The Drip 3 weighs 1.7 kg.", question, "en")).toBe(true);
    expect(addsNumber("The Drip 3 lasts two years.", question, "en")).toBe(true);
    expect(addsNumber("The Drip 3 is a pump.", question, "en")).toBe(false);
    expect(addsPerson("The compliance officer is Marit Oyen.", "Who is the compliance officer?")).toBe(true);
    expect(addsPerson("Ostrevik Medical owns this.", "Who leads Ostrevik?")).toBe(false);
  });
});
