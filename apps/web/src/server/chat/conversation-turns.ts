import type { ChatMessage } from "@anneal/core/chat/build-prompt";
import { AnnealError } from "@anneal/core/errors";
import type { Message } from "@anneal/db/queries/chat";

type Turn = Pick<Message, "id" | "role" | "content" | "outcome">;

/**
 * What the model reads of a conversation: each question with the last answer that it got. Questions without an answer
 * that was shown, because it failed or was stopped, are left out.
 */
export function historyOf(messages: readonly Turn[]): ChatMessage[] {
  const history: ChatMessage[] = [];
  let question: Turn | undefined;
  let answer: Turn | undefined;
  const close = () => {
    if (question && answer)
      history.push({ role: "user", content: question.content }, { role: "assistant", content: answer.content });
  };
  for (const message of messages) {
    if (message.role === "user") {
      close();
      question = message;
      answer = undefined;
    } else if (message.outcome !== "failed") answer = message;
  }
  close();
  return history;
}

/**
 * The question to ask again and what came before it.
 * @throws AnnealError CONFLICT when the message is not of the last question: later turns were built on its answer.
 */
export function retriedTurn(
  messages: readonly Turn[],
  messageId: string,
): { question: string; questionId: string; before: readonly Turn[] } {
  const last = messages.findLastIndex((message) => message.role === "user");
  const question = messages[last];
  if (!question || messages.findIndex((message) => message.id === messageId) < last)
    throw new AnnealError("CONFLICT", "Only the last question can be asked again.", {
      action: "Type the question once more to ask it here.",
    });
  return { question: question.content, questionId: question.id, before: messages.slice(0, last) };
}
