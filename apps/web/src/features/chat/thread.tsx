"use client";

import { useEffect, useRef } from "react";
import { AwaitedAnswer, LiveAnswerView, MissingAnswer, StoredAnswer } from "#features/chat/answer.tsx";
import type { LiveAnswer } from "#features/chat/live-answer.ts";
import type { OpenCitation } from "#features/chat/passage-panel.tsx";
import type { Answers } from "#lib/trpc.ts";

type Conversation = Answers["chat"]["get"];
type AssistantChoice = { id: string; name: string };

type ThreadProps = {
  conversation: Conversation | undefined;
  live: LiveAnswer | null;
  assistants: readonly AssistantChoice[];
  open: OpenCitation | null;
  onOpen(citation: OpenCitation): void;
  /** The live question, which failed. */
  onAskAgain(): void;
  onRetry(question: string, messageId: string, assistant: AssistantChoice): void;
};

/** How near to its end a reader must be for the thread to follow what is added, in pixels. */
const followPx = 160;

export function Thread({ conversation, live, assistants, open, onOpen, onAskAgain, onRetry }: ThreadProps) {
  const end = useRef<HTMLDivElement>(null);
  const turns = turnsOf(conversation?.messages ?? []);
  const stored = new Set(conversation?.messages.map((message) => message.id));
  // What the stored conversation shows already is not shown a second time.
  const shownLive = live && !(live.messageId && stored.has(live.messageId)) ? live : null;
  const liveQuestion = shownLive !== null && !(shownLive.questionId && stored.has(shownLive.questionId));

  const length = (live?.draft.length ?? 0) + (live?.outcome?.text.length ?? 0);
  useEffect(() => {
    const scroller = end.current?.closest("[data-thread]");
    if (!scroller) return;
    if (scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < followPx)
      scroller.scrollTop = scroller.scrollHeight;
  }, [length, live?.passages, live?.failure, live?.trace]);
  useEffect(() => {
    const scroller = end.current?.closest("[data-thread]");
    if (scroller) scroller.scrollTop = scroller.scrollHeight;
  }, [conversation?.id, live?.question]);

  return (
    <div className="mx-auto w-full max-w-3xl space-y-8 px-4 py-6 sm:px-6">
      {turns.map(({ question, answers }, index) => {
        const last = index === turns.length - 1;
        const retry =
          last && shownLive === null && !conversation?.answering
            ? {
                assistants,
                again: (assistant: AssistantChoice) => onRetry(question.content, question.id, assistant),
              }
            : null;
        return (
          <section key={question.id} className="space-y-5">
            <QuestionView text={question.content} />
            {answers.map((answer) => (
              <StoredAnswer
                key={answer.id}
                message={answer}
                retry={answer === answers.at(-1) ? retry : null}
                open={open}
                onOpen={onOpen}
              />
            ))}
            {last && shownLive && !liveQuestion && (
              <LiveAnswerView answer={shownLive} open={open} onOpen={onOpen} onAskAgain={onAskAgain} />
            )}
            {last && !shownLive && conversation?.answering && <AwaitedAnswer />}
            {answers.length === 0 && !(last && (shownLive || conversation?.answering)) && (
              <MissingAnswer retry={retry} />
            )}
          </section>
        );
      })}
      {shownLive && liveQuestion && (
        <section className="space-y-5">
          <QuestionView text={shownLive.question} />
          <LiveAnswerView answer={shownLive} open={open} onOpen={onOpen} onAskAgain={onAskAgain} />
        </section>
      )}
      <div ref={end} />
    </div>
  );
}

function QuestionView({ text }: { text: string }) {
  return (
    <h2 className="ml-auto w-fit max-w-[85%] rounded-panel bg-sunken px-3.5 py-2 text-[0.9375rem] leading-6 break-words whitespace-pre-wrap dark:bg-raised">
      {text}
    </h2>
  );
}

type Message = Conversation["messages"][number];

function turnsOf(messages: readonly Message[]): { question: Message; answers: Message[] }[] {
  const turns: { question: Message; answers: Message[] }[] = [];
  for (const message of messages) {
    if (message.role === "user") turns.push({ question: message, answers: [] });
    else turns.at(-1)?.answers.push(message);
  }
  return turns;
}
