"use client";

import { useQuery } from "@tanstack/react-query";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { formatCount } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";

/** Before the first question: who answers, from what, and questions that have an answer. */
export function Welcome({
  assistant,
  onAsk,
}: {
  assistant: Answers["assistants"]["list"][number];
  onAsk(question: string): void;
}) {
  const trpc = useTRPC();
  const { data: questions, isPending } = useQuery(trpc.chat.suggestions.queryOptions());
  return (
    <div className="mx-auto flex min-h-full max-w-3xl flex-col justify-end px-4 sm:justify-center py-6 sm:px-6">
      <h2 className="text-xl leading-7 font-semibold tracking-tight">Ask {assistant.name}</h2>
      <p className="mt-1 max-w-[60ch] text-13 text-pretty text-muted">
        {assistant.collection
          ? `It answers from ${formatCount(assistant.collection.documents, "document")}, as far as you may read them, and shows the passage behind every sentence. What the documents do not say, it does not say.`
          : "It has no documents to answer from yet: give it a collection on the Assistants page."}
      </p>
      {isPending && (
        <div className="mt-6 grid gap-2 sm:grid-cols-2">
          {[1, 2, 3, 4].map((each) => (
            <Skeleton key={each} className="h-[3.25rem] rounded-panel" />
          ))}
        </div>
      )}
      {questions && questions.length > 0 && (
        <ul aria-label="Questions to begin with" className="mt-6 grid gap-2 sm:grid-cols-2">
          {questions.map((question) => (
            <li key={question}>
              <button
                type="button"
                onClick={() => onAsk(question)}
                className="flex h-full min-h-[3.25rem] w-full items-center rounded-panel border border-line bg-panel px-3.5 py-2 text-left text-13 text-pretty hover:border-line-strong hover:bg-hover"
              >
                {question}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
