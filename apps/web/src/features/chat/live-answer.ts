import type { GroundedAnswer } from "@anneal/core/chat/ground-answer";
import type { AnswerTrace } from "#server/chat/answer-question.ts";
import type { ConverseEvent } from "#server/chat/converse.ts";
import type { WireError } from "#lib/wire-error.ts";

type Passages = Extract<ConverseEvent, { type: "passages" }>["passages"];

/** An answer while it is made. The draft is the model's own words, unchecked; "final" replaces it. */
export type LiveAnswer = {
  question: string;
  assistantName: string;
  /** null until the question is stored; stays null in a trial. */
  conversationId: string | null;
  questionId: string | null;
  messageId: string | null;
  passages: Passages | null;
  draft: string;
  outcome: GroundedAnswer | null;
  trace: AnswerTrace | null;
  failure: WireError | null;
};

export function beginAnswer(question: string, assistantName: string, conversationId: string | null): LiveAnswer {
  return {
    question,
    assistantName,
    conversationId,
    questionId: null,
    messageId: null,
    passages: null,
    draft: "",
    outcome: null,
    trace: null,
    failure: null,
  };
}

export function advanceAnswer(answer: LiveAnswer, event: ConverseEvent): LiveAnswer {
  switch (event.type) {
    case "asked":
      return { ...answer, conversationId: event.conversationId, questionId: event.questionId };
    case "passages":
      return { ...answer, passages: event.passages };
    case "draft":
      return { ...answer, draft: answer.draft + event.delta };
    case "verified":
      // For clients that cannot replace text; this one can.
      return answer;
    case "final":
      return { ...answer, outcome: event.outcome };
    case "trace":
      return { ...answer, trace: event.trace };
    case "saved":
      return { ...answer, messageId: event.messageId };
    case "error":
      return { ...answer, failure: event.report };
  }
}

export function isBusy(answer: LiveAnswer | null): boolean {
  return answer !== null && answer.outcome === null && answer.failure === null;
}
