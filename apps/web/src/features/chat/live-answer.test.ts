import { describe, expect, it } from "vitest";
import { advanceAnswer, beginAnswer, isBusy } from "./live-answer.ts";
import type { ConverseEvent } from "#server/chat/converse.ts";

const refused: ConverseEvent = {
  type: "final",
  outcome: { kind: "refused", text: "I don't know.", citations: [], reason: "NO_PASSAGES" },
  usage: null,
};

describe("advanceAnswer", () => {
  it("gathers the draft and lets the checked answer end the wait", () => {
    const events: ConverseEvent[] = [
      { type: "asked", conversationId: "c", questionId: "q" },
      { type: "passages", passages: [] },
      { type: "draft", delta: "Two " },
      { type: "verified", text: "Two " },
      { type: "draft", delta: "years." },
    ];
    const drafting = events.reduce(advanceAnswer, beginAnswer("How long?", "helpdesk", null));
    expect(drafting).toMatchObject({ conversationId: "c", questionId: "q", draft: "Two years.", outcome: null });
    expect(isBusy(drafting)).toBe(true);
    expect(isBusy(advanceAnswer(drafting, refused))).toBe(false);
  });

  it("ends the wait when the answer fails", () => {
    const report = { code: "ENGINE_UNAVAILABLE", message: "m", action: "a", id: "1" } as const;
    const failed = advanceAnswer(beginAnswer("Q", "a", "c"), { type: "error", report });
    expect(failed.failure).toBe(report);
    expect(isBusy(failed)).toBe(false);
  });
});
