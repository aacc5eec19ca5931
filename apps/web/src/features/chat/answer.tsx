"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { RotateCcw, ThumbsDown, ThumbsUp } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { CopyButton } from "#components/ui/copy-button.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuLabel,
  DropdownMenuTrigger,
} from "#components/ui/dropdown-menu.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { StatusIcon } from "#components/ui/status.tsx";
import { AnswerText } from "#features/chat/answer-text.tsx";
import { AnswerTraceView } from "#features/chat/answer-trace.tsx";
import type { LiveAnswer } from "#features/chat/live-answer.ts";
import { Outcome } from "#features/chat/outcome.tsx";
import type { OpenCitation } from "#features/chat/passage-panel.tsx";
import { cn } from "#lib/class-names.ts";
import { formatCount } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorSchema } from "#lib/wire-error.ts";
import type { AnswerTrace } from "#server/chat/answer-question.ts";

type Message = Answers["chat"]["get"]["messages"][number];
type AssistantChoice = { id: string; name: string };
type CitationProps = { open: OpenCitation | null; onOpen(citation: OpenCitation): void };

/** What is stored beside an answer; a failed one has its report in place of the trace. */
type StoredTrace = AnswerTrace & { reason: string | null; unsupported: string[] };

type StoredAnswerProps = CitationProps & {
  message: Message;
  /** Given for the last question: only that one can be asked again. */
  retry: { assistants: readonly AssistantChoice[]; again(assistant: AssistantChoice): void } | null;
};

export function StoredAnswer({ message, retry, open, onOpen }: StoredAnswerProps) {
  const again = retry && <Retry {...retry} answeredBy={message.model} />;
  if (message.outcome === "failed" || message.trace === null)
    return <FailedAnswer report={message.trace?.["report"]}>{again}</FailedAnswer>;
  const trace = message.trace as StoredTrace;
  return (
    <AnswerFrame name={message.model}>
      <AnswerText
        text={message.content}
        citations={message.citations ?? []}
        open={open?.answerId === message.id ? open.number : null}
        onOpen={(citation) => onOpen({ ...citation, answerId: message.id })}
      />
      <Outcome kind={message.outcome ?? "ungrounded"} reason={trace.reason} />
      <AnswerTraceView trace={trace} usage={message} />
      <div className="-ml-1.5 flex items-center gap-0.5">
        <CopyButton text={message.content} label="Copy the answer" className="size-7" />
        <Feedback message={message} />
        {again}
      </div>
    </AnswerFrame>
  );
}

/** From the question until the stored answer takes its place. */
export function LiveAnswerView({
  answer,
  open,
  onOpen,
  onAskAgain,
}: CitationProps & { answer: LiveAnswer; onAskAgain(): void }) {
  const { outcome, failure, passages, draft, trace } = answer;
  if (failure)
    return (
      <FailedAnswer report={failure}>
        <Button size="small" onClick={onAskAgain}>
          <RotateCcw aria-hidden /> Ask again
        </Button>
      </FailedAnswer>
    );
  if (outcome)
    return (
      <AnswerFrame name={answer.assistantName}>
        <AnswerText
          text={outcome.text}
          citations={outcome.citations}
          open={open?.answerId === "live" ? open.number : null}
          onOpen={(citation) => onOpen({ ...citation, answerId: "live" })}
        />
        <Outcome kind={outcome.kind} reason={"reason" in outcome ? outcome.reason : null} />
        {trace && (
          <AnswerTraceView
            trace={{ ...trace, unsupported: "unsupported" in outcome ? outcome.unsupported : [] }}
            usage={null}
          />
        )}
      </AnswerFrame>
    );
  return (
    <AnswerFrame name={answer.assistantName}>
      {draft.trim() !== "" && (
        <p className="max-w-[70ch] border-l-2 border-dashed border-line-strong pl-3 text-[0.9375rem] leading-6 whitespace-pre-wrap text-muted">
          {draft}
        </p>
      )}
      <p role="status" className="flex items-center gap-1.5 text-xs text-muted">
        <StatusIcon kind="running" className="size-3.5" />
        {draft.trim() !== ""
          ? "Draft, being held against the documents"
          : passages
            ? `Reading ${formatCount(passages.length, "passage")}`
            : "Searching what you may read"}
      </p>
    </AnswerFrame>
  );
}

/** Another tab, or this one before it was reloaded, asked. */
export function AwaitedAnswer() {
  return (
    <p role="status" className="flex items-center gap-1.5 text-xs text-muted">
      <StatusIcon kind="running" className="size-3.5" /> The answer is being made
    </p>
  );
}

/** A question without an answer: the server was stopped while it made one. */
export function MissingAnswer({ retry }: Pick<StoredAnswerProps, "retry">) {
  return <FailedAnswer report={null}>{retry && <Retry {...retry} answeredBy={null} />}</FailedAnswer>;
}

function AnswerFrame({ name, children }: { name: string | null; children: ReactNode }) {
  return (
    <article aria-label={name ? `Answer of ${name}` : "Answer"} className="space-y-2.5">
      {name && <p className="text-xs font-medium text-muted">{name}</p>}
      {children}
    </article>
  );
}

function FailedAnswer({ report, children }: { report: unknown; children?: ReactNode }) {
  const parsed = wireErrorSchema.safeParse(report).data;
  if (parsed?.code === "CANCELLED")
    return (
      <div className="flex flex-wrap items-center gap-x-3 text-13 text-muted">
        <span className="inline-flex items-center gap-1.5">
          <StatusIcon kind="stopped" /> {parsed.message}
        </span>
        {children}
      </div>
    );
  const shown = parsed ?? {
    code: "CANCELLED",
    message: "This question was not answered.",
    action: "The server stopped before the answer was done. Ask again.",
  };
  return (
    <ErrorNotice error={shown} className="max-w-[70ch]">
      {children}
    </ErrorNotice>
  );
}

function Feedback({ message }: { message: Message }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const give = useMutation(
    trpc.chat.feedback.mutationOptions({
      onSettled: () => queryClient.invalidateQueries({ queryKey: trpc.chat.get.pathKey() }),
    }),
  );
  const current = give.isPending ? give.variables.feedback : message.feedback;
  const buttons = [
    { value: "up", icon: ThumbsUp, label: "This answer is right" },
    { value: "down", icon: ThumbsDown, label: "This answer is wrong" },
  ] as const;
  return buttons.map(({ value, icon: Icon, label }) => (
    <Button
      key={value}
      variant="ghost"
      size="icon-small"
      aria-label={label}
      title={label}
      aria-pressed={current === value}
      className={cn("[&_svg]:size-3.5", current === value ? "text-accent" : "text-faint")}
      onClick={() => give.mutate({ messageId: message.id, feedback: current === value ? null : value })}
    >
      <Icon className={cn(current === value && "fill-current")} />
    </Button>
  ));
}

function Retry({
  assistants,
  again,
  answeredBy,
}: NonNullable<StoredAnswerProps["retry"]> & { answeredBy: string | null }) {
  return (
    <DropdownMenu>
      <DropdownMenuTrigger asChild>
        <Button variant="ghost" size="small" className="px-1.5 text-xs text-faint [&_svg]:size-3.5">
          <RotateCcw aria-hidden /> Ask again
        </Button>
      </DropdownMenuTrigger>
      <DropdownMenuContent align="start">
        <DropdownMenuLabel>The same question to</DropdownMenuLabel>
        {assistants.map((assistant) => (
          <DropdownMenuItem key={assistant.id} onSelect={() => again(assistant)}>
            {assistant.name}
            {assistant.name === answeredBy && <span className="text-xs text-faint">again</span>}
          </DropdownMenuItem>
        ))}
      </DropdownMenuContent>
    </DropdownMenu>
  );
}
