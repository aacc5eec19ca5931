"use client";

import { useQuery } from "@tanstack/react-query";
import { Columns2 } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Page } from "#components/ui/page.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Select } from "#components/ui/select.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { LiveAnswerView } from "#features/chat/answer.tsx";
import { isBusy, type LiveAnswer } from "#features/chat/live-answer.ts";
import { PassageSheet, type OpenCitation } from "#features/chat/passage-panel.tsx";
import { QuestionBox } from "#features/chat/question-box.tsx";
import { useAnswer } from "#features/chat/use-answer.ts";
import { useTRPC } from "#lib/trpc.ts";
import { useUrlState } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

const sides = ["left", "right"] as const;
type Side = (typeof sides)[number];

/** The same question to two assistants. Nothing of it is kept but the tokens that it cost. */
export function ComparePage() {
  const trpc = useTRPC();
  const { href } = useWorkspace();
  const [params, setUrl] = useUrlState();
  const { data, error, refetch } = useQuery(trpc.assistants.list.queryOptions());
  const answers: Record<Side, ReturnType<typeof useAnswer>> = { left: useAnswer(), right: useAnswer() };
  const [question, setQuestion] = useState<string | null>(null);
  const [citation, setCitation] = useState<(OpenCitation & { side: Side }) | null>(null);
  const usable = (data ?? []).filter((each) => each.usability === "usable");
  const left = usable.find((each) => each.id === params.get("left")) ?? usable[0];
  const right = usable.find((each) => each.id === params.get("right")) ?? usable.find((each) => each !== left) ?? left;
  const chosen = { left, right };
  const busy = sides.some((side) => isBusy(answers[side].answer));

  function ask(text: string) {
    setQuestion(text);
    setCitation(null);
    for (const side of sides) {
      const assistant = chosen[side];
      if (assistant) void answers[side].ask({ question: text, assistant, conversationId: null, trial: true });
    }
  }
  return (
    <Page
      title="Compare"
      parent={{ label: "Assistants", href: href("/assistants") }}
      description="The same question to two assistants, side by side. Nothing of it is kept."
    >
      {error && !data && <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton className="h-64 rounded-panel" />}
      {data && !left && (
        <EmptyState
          icon={Columns2}
          title="Nobody to ask"
          action={
            <Button asChild variant="primary">
              <Link href={href("/assistants")}>See the assistants</Link>
            </Button>
          }
        >
          To compare, there has to be at least one assistant that can answer; two make a comparison.
        </EmptyState>
      )}
      {left && (
        <div className="space-y-4">
          <QuestionBox
            label="Your question"
            placeholder="Ask both"
            busy={busy}
            onAsk={ask}
            onStop={() => sides.forEach((side) => answers[side].leave())}
          />
          {question !== null && <h2 className="text-sm font-semibold break-words">{question}</h2>}
          <div className="grid gap-4 md:grid-cols-2">
            {sides.map((side) => (
              <Panel
                key={side}
                title={
                  <Select
                    label={side === "left" ? "Assistant at the left" : "Assistant at the right"}
                    className="-ml-2 h-8 w-auto border-transparent font-semibold"
                    value={chosen[side]?.id}
                    onChange={(id) => setUrl({ [side]: id })}
                    options={usable.map(({ id, name, model, adapterWithheld }) => ({
                      value: id,
                      label: name,
                      hint: adapterWithheld ? "base model" : model,
                    }))}
                  />
                }
                bodyClassName="min-h-40"
              >
                <Column
                  answer={answers[side].answer}
                  onAskAgain={answers[side].askAgain}
                  open={citation?.side === side ? citation : null}
                  onOpen={(opened) => setCitation({ ...opened, side })}
                />
              </Panel>
            ))}
          </div>
          <PassageSheet citation={citation} onClose={() => setCitation(null)} />
        </div>
      )}
    </Page>
  );
}

type ColumnProps = {
  answer: LiveAnswer | null;
  open: OpenCitation | null;
  onOpen(citation: OpenCitation): void;
  onAskAgain(): void;
};

function Column({ answer, ...props }: ColumnProps) {
  if (!answer) return <p className="text-13 text-muted">Its answer stands here.</p>;
  return <LiveAnswerView answer={answer} {...props} />;
}
