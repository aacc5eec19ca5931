import { describe, expect, it } from "vitest";
import { historyOf, retriedTurn } from "./conversation-turns.ts";

const user = (id: string, content: string) => ({ id, role: "user" as const, content, outcome: null });
const answer = (id: string, content: string, outcome: "grounded" | "failed" = "grounded") => ({
  id,
  role: "assistant" as const,
  content,
  outcome,
});

describe("historyOf", () => {
  it("shows the model the last of several answers to a question", () => {
    expect(historyOf([user("q", "Q"), answer("a", "first"), answer("b", "second")])).toEqual([
      { role: "user", content: "Q" },
      { role: "assistant", content: "second" },
    ]);
  });

  it("leaves out a question whose answer failed or never came", () => {
    const messages = [user("q", "Q"), answer("a", "", "failed"), user("r", "R"), answer("b", "B"), user("s", "S")];
    expect(historyOf(messages)).toEqual([
      { role: "user", content: "R" },
      { role: "assistant", content: "B" },
    ]);
  });
});

describe("retriedTurn", () => {
  const messages = [user("q", "Q"), answer("a", "A"), user("r", "R"), answer("b", "B"), answer("c", "C")];

  it("asks the last question again, whichever of its messages is named", () => {
    for (const id of ["r", "b", "c"])
      expect(retriedTurn(messages, id)).toEqual({ question: "R", questionId: "r", before: messages.slice(0, 2) });
  });

  it("refuses an earlier question, and a message of another conversation", () => {
    for (const id of ["q", "a", "elsewhere"])
      expect(() => retriedTurn(messages, id)).toThrow(expect.objectContaining({ code: "CONFLICT" }));
  });
});
