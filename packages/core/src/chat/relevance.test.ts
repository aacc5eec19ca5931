import { describe, expect, it } from "vitest";
import { passage } from "./passages.fixture.ts";
import { selectRelevant } from "./relevance.ts";

// Questions, their best passage and its cosine by all-MiniLM-L6-v2 among twelve passages of one small company.
const returns = "You can send back unused goods within 30 days of delivery. Opened software cannot be returned.";
const desk = "The front desk is open from 8:00 to 17:30 on weekdays. Visitors sign in at the north entrance.";
const pump = "Clean the inlet filter every 200 hours. Replace the seal kit KS-7 once a year.";

describe("selectRelevant", () => {
  it.each([
    ["How long can I return an item?", "Shop terms > Returns", returns, 0.68],
    ["When will I get my money back?", "Shop terms > Returns", returns, 0.5],
    ["How often should the filter be cleaned?", "Kestrel 40 manual > Maintenance", pump, 0.59],
    ["seal kit replacement interval", "Kestrel 40 manual > Maintenance", pump, 0.41],
    ["Is there parking for visitors?", "Visitor guide > Front desk", desk, 0.31],
    ["KS-7 seal kit", "Kestrel 40 manual > Maintenance", pump, 0.15],
  ])("answers %j from its passage", (question, context, text, cosine) => {
    expect(selectRelevant(question, [passage("p", context, text, { cosine })])).toHaveLength(1);
  });

  it.each([
    ["What is the capital of Peru?", 0.12],
    ["What is the speed of light?", 0.2],
    ["best pizza in Naples", 0.11],
    ["How do I bake sourdough bread?", 0.3],
  ])("finds nothing relevant to %j", (question, cosine) => {
    expect(selectRelevant(question, [passage("p", "Visitor guide > Front desk", desk, { cosine })])).toEqual([]);
  });

  it("judges a passage of the lexical leg alone by its words", () => {
    const found = [passage("a", "Pump", pump, { cosine: null }), passage("b", "Desk", desk, { cosine: null })];
    expect(selectRelevant("Where is the seal kit?", found).map((each) => each.chunkId)).toEqual(["a"]);
  });
});
