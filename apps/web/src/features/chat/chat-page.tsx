"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { MessagesSquare, PanelLeft, Plus } from "lucide-react";
import Link from "next/link";
import { useEffect, useRef, useState } from "react";
import { Button } from "#components/ui/button.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Select } from "#components/ui/select.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { ConversationList } from "#features/chat/conversation-list.tsx";
import { isBusy } from "#features/chat/live-answer.ts";
import { PassagePanel, type OpenCitation } from "#features/chat/passage-panel.tsx";
import { QuestionBox } from "#features/chat/question-box.tsx";
import { Thread } from "#features/chat/thread.tsx";
import { useAnswer } from "#features/chat/use-answer.ts";
import { Welcome } from "#features/chat/welcome.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useUrlState } from "#lib/url-state.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

type Assistant = Answers["assistants"]["list"][number];

export function ChatPage() {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [params, setUrl] = useUrlState();
  const current = params.get("c");
  const shown = useRef(current);
  useEffect(() => {
    shown.current = current;
  }, [current]);
  const [listOpen, setListOpen] = useState(false);
  const [citation, setCitation] = useState<OpenCitation | null>(null);

  const assistants = useQuery(trpc.assistants.list.queryOptions());
  const usable = (assistants.data ?? []).filter((each) => each.usability === "usable");
  const conversation = useQuery({
    ...trpc.chat.get.queryOptions({ conversationId: current ?? "" }),
    enabled: current !== null,
  });
  const assistant = chosenAssistant(usable, params.get("assistant"), current === null ? undefined : conversation.data);

  const refresh = () => queryClient.invalidateQueries({ queryKey: trpc.chat.pathKey() });
  const { answer, ask, askAgain, leave } = useAnswer((event) => {
    // The person may have gone to another conversation meanwhile: that one stays.
    if (event.type === "asked" && shown.current === null) setUrl({ c: event.conversationId });
    if (event.type === "asked" || event.type === "saved") void refresh();
  });
  const storedFailure = answer !== null && answer.failure !== null && answer.questionId !== null;
  useEffect(() => {
    // The conversation has the failure too, with what can be done about it.
    if (storedFailure) void queryClient.invalidateQueries({ queryKey: trpc.chat.pathKey() }).then(leave);
  }, [storedFailure, queryClient, trpc, leave]);
  const live =
    answer && (answer.conversationId === current || (answer.conversationId === null && current === null))
      ? answer
      : null;
  const busy = isBusy(live) || (conversation.data?.answering ?? false);
  const stop = useMutation(trpc.chat.stop.mutationOptions());

  function open(conversationId: string | null) {
    setUrl({ c: conversationId, assistant: null });
    setCitation(null);
    setListOpen(false);
    if (conversationId === null && answer && !isBusy(answer)) leave();
  }
  function askQuestion(question: string) {
    if (assistant) void ask({ question, assistant, conversationId: current });
  }
  function stopAnswer() {
    const conversationId = live?.conversationId ?? current;
    if (conversationId) stop.mutate({ conversationId });
  }

  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (
        event.key !== "Escape" ||
        event.defaultPrevented ||
        document.querySelector("[role=dialog], [role=menu], [role=listbox]")
      )
        return;
      if (busy) stopAnswer();
      else setCitation(null);
    }
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  });

  const empty = current === null && live === null;
  return (
    <div className="flex h-[calc(100dvh-3rem)] min-w-0">
      <div className="hidden w-60 shrink-0 border-r border-line lg:block">
        <ConversationList current={current} onOpen={open} />
      </div>
      <Dialog open={listOpen} onOpenChange={setListOpen}>
        <SheetContent side="left" title="Conversations" className="w-[min(20rem,90vw)]">
          <div className="-mx-5 h-full">
            <ConversationList current={current} onOpen={open} />
          </div>
        </SheetContent>
      </Dialog>

      <div className="flex min-w-0 flex-1 flex-col">
        <div className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-2 lg:px-6">
          <Button
            variant="ghost"
            size="icon"
            aria-label="Conversations"
            className="lg:hidden"
            onClick={() => setListOpen(true)}
          >
            <PanelLeft />
          </Button>
          <h1 className="min-w-0 flex-1 truncate text-13 font-semibold">
            {current === null
              ? (live?.question ?? "New conversation")
              : (conversation.data?.title ?? live?.question ?? "Chat")}
          </h1>
          <Button
            variant="ghost"
            size="icon"
            aria-label="New conversation"
            className="lg:hidden"
            onClick={() => open(null)}
          >
            <Plus />
          </Button>
        </div>
        <div data-thread className="min-h-0 flex-1 overflow-y-auto">
          {empty ? (
            <Start
              assistants={assistants.data}
              usable={usable}
              assistant={assistant}
              onAsk={askQuestion}
              error={assistants.error}
            />
          ) : conversation.error && !conversation.data && !live ? (
            <div className="mx-auto max-w-3xl p-6">
              <ErrorState error={wireErrorOf(conversation.error)} onRetry={() => void conversation.refetch()} />
            </div>
          ) : !conversation.data && !live ? (
            <SkeletonRows className="mx-auto max-w-3xl p-6" />
          ) : (
            <Thread
              conversation={current === null ? undefined : conversation.data}
              live={live}
              assistants={usable}
              open={citation}
              onOpen={setCitation}
              onAskAgain={askAgain}
              onRetry={(question, retryMessageId, chosen) =>
                void ask({ question, assistant: chosen, conversationId: current, retryMessageId })
              }
            />
          )}
        </div>
        <div className="mx-auto w-full max-w-3xl px-4 pb-4 sm:px-6">
          <QuestionBox
            label="Your question"
            placeholder={assistant ? `Ask ${assistant.name}` : "Ask"}
            busy={busy}
            disabled={!assistant}
            onAsk={askQuestion}
            onStop={stopAnswer}
          >
            {usable.length > 1 && assistant ? (
              <Select
                label="Assistant"
                className="h-7 w-auto max-w-56 border-transparent text-xs text-muted"
                value={assistant.id}
                onChange={(id) => setUrl({ assistant: id })}
                options={usable.map(({ id, name, model }) => ({ value: id, label: name, hint: model }))}
              />
            ) : (
              <span className="px-2 text-xs text-faint">{assistant?.name}</span>
            )}
          </QuestionBox>
        </div>
      </div>

      <PassagePanel citation={citation} onClose={() => setCitation(null)} />
    </div>
  );
}

type StartProps = {
  assistants: readonly Assistant[] | undefined;
  usable: readonly Assistant[];
  assistant: Assistant | undefined;
  error: unknown;
  onAsk(question: string): void;
};

function Start({ assistants, usable, assistant, error, onAsk }: StartProps) {
  const { href, role } = useWorkspace();
  if (error && !assistants)
    return (
      <div className="mx-auto max-w-3xl p-6">
        <ErrorState error={wireErrorOf(error)} />
      </div>
    );
  if (assistant) return <Welcome assistant={assistant} onAsk={onAsk} />;
  if (!assistants) return null;
  return (
    <div className="mx-auto max-w-3xl p-6">
      <EmptyState
        icon={MessagesSquare}
        title="Nobody to ask yet"
        action={
          mayEdit(role) && (
            <Button asChild variant="primary">
              <Link href={href(assistants.length > 0 ? "/assistants" : "/")}>
                {assistants.length > 0 ? "See the assistants" : "Run the loop"}
              </Link>
            </Button>
          )
        }
      >
        {assistants.length > usable.length
          ? "There are assistants, and none that can answer now: see why on their page."
          : "An assistant answers from the workspace's documents. The first run of the loop makes one."}
      </EmptyState>
    </div>
  );
}

/** The one picked for the next question; else who answered last here; else the first. */
function chosenAssistant(
  usable: readonly Assistant[],
  picked: string | null,
  conversation: Answers["chat"]["get"] | undefined,
): Assistant | undefined {
  const answeredBy = conversation?.messages.findLast((message) => message.model !== null)?.model;
  return (
    usable.find((each) => each.id === picked) ??
    usable.find((each) => each.name === answeredBy) ??
    usable.find((each) => each.id === conversation?.assistantId) ??
    usable[0]
  );
}
