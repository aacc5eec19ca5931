import { describe, expect, it } from "vitest";
import { conversationTitle } from "./conversation-title.ts";

describe("conversationTitle", () => {
  it("keeps a short question as it is, on one line", () => {
    expect(conversationTitle("  How long is\nthe warranty? ")).toBe("How long is the warranty?");
  });

  it("cuts a long question at a word", () => {
    const title = conversationTitle("word ".repeat(40));
    expect(title.length).toBeLessThanOrEqual(81);
    expect(title).toMatch(/ word…$/);
  });

  it("cuts a question without spaces anyway", () => {
    expect(conversationTitle("x".repeat(500))).toBe(`${"x".repeat(80)}…`);
  });
});
