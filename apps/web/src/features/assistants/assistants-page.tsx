"use client";

import { mayEdit } from "@anneal/core/access/roles";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Code, Columns2, MessagesSquare, Pencil, Plus, Sparkles, Trash2 } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { toast } from "sonner";
import { Badge } from "#components/ui/badge.tsx";
import { Button } from "#components/ui/button.tsx";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { KeyValues } from "#components/ui/key-values.tsx";
import { Page } from "#components/ui/page.tsx";
import { Panel } from "#components/ui/panel.tsx";
import { Skeleton } from "#components/ui/skeleton.tsx";
import { Status } from "#components/ui/status.tsx";
import { ApiSnippet } from "#features/assistants/api-snippet.tsx";
import { EditAssistant } from "#features/assistants/edit-assistant.tsx";
import { formatCount, formatNumber } from "#lib/format.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";
import { wireErrorOf } from "#lib/wire-error.ts";

export type Assistant = Answers["assistants"]["list"][number];

export function AssistantsPage() {
  const trpc = useTRPC();
  const { href, role } = useWorkspace();
  const [editing, setEditing] = useState<Assistant | "new" | null>(null);
  const { data, error, refetch } = useQuery(trpc.assistants.list.queryOptions());
  const mayChange = mayEdit(role);
  const create = mayChange && (
    <Button variant="primary" onClick={() => setEditing("new")}>
      <Plus aria-hidden /> New assistant
    </Button>
  );
  return (
    <Page
      title="Assistants"
      description="A model, what it may read, and how it speaks. Each is a model of its own in the API."
      actions={
        data &&
        data.length > 0 && (
          <>
            <Button asChild>
              <Link href={href("/assistants/compare")}>
                <Columns2 aria-hidden /> Compare
              </Link>
            </Button>
            {create}
          </>
        )
      }
    >
      {error && !data && <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />}
      {!data && !error && (
        <div className="grid gap-4 xl:grid-cols-2">
          <Skeleton className="h-64 rounded-panel" />
          <Skeleton className="h-64 rounded-panel" />
        </div>
      )}
      {data?.length === 0 && (
        <EmptyState icon={Sparkles} title="No assistants yet" action={create}>
          An assistant answers questions from the workspace's documents and shows the passage behind each sentence. A
          run of the loop makes one by itself.
        </EmptyState>
      )}
      {data && data.length > 0 && (
        <ul className="grid gap-4 xl:grid-cols-2">
          {data.map((assistant) => (
            <li key={assistant.id} className="min-w-0">
              <AssistantCard assistant={assistant} mayChange={mayChange} onEdit={() => setEditing(assistant)} />
            </li>
          ))}
        </ul>
      )}
      {editing && <EditAssistant assistant={editing === "new" ? null : editing} onClose={() => setEditing(null)} />}
    </Page>
  );
}

type CardProps = { assistant: Assistant; mayChange: boolean; onEdit(): void };

function AssistantCard({ assistant, mayChange, onEdit }: CardProps) {
  const { href } = useWorkspace();
  const [showing, setShowing] = useState<"api" | "delete" | null>(null);
  const { settings, collection } = assistant;
  const usable = assistant.usability === "usable";
  return (
    <Panel
      className="flex h-full flex-col"
      bodyClassName="flex flex-1 flex-col"
      title={
        <span className="flex items-center gap-3">
          <span className="truncate">{assistant.name}</span>
          <AssistantStatus usability={assistant.usability} />
        </span>
      }
      actions={
        mayChange && (
          <>
            <Button variant="ghost" size="icon-small" aria-label={`Change ${assistant.name}`} onClick={onEdit}>
              <Pencil />
            </Button>
            <Button
              variant="ghost"
              size="icon-small"
              aria-label={`Delete ${assistant.name}`}
              onClick={() => setShowing("delete")}
            >
              <Trash2 />
            </Button>
          </>
        )
      }
    >
      <KeyValues
        items={[
          {
            label: "Model",
            value: (
              <span className="flex flex-wrap items-center gap-x-2">
                {assistant.model === "base" ? "Base model" : assistant.model}
                {assistant.adapterWithheld ? (
                  <span className="text-xs text-waiting">
                    it learned from documents that you may not read: the base model answers you
                  </span>
                ) : (
                  assistant.servingName && (
                    <span className="font-mono text-xs break-all text-faint">{assistant.servingName}</span>
                  )
                )}
              </span>
            ),
          },
          {
            label: "Reads",
            value: collection ? (
              <>
                {collection.name}, {formatCount(collection.documents, "document")}
                {settings.sourceIds && (
                  <Badge className="ml-2">{formatCount(settings.sourceIds.length, "source")} only</Badge>
                )}
              </>
            ) : (
              <span className="text-muted">Nothing: it refuses every question</span>
            ),
          },
          {
            label: "Instructions",
            value:
              assistant.instructions === "" ? (
                <span className="text-muted">None</span>
              ) : (
                <span className="line-clamp-3 whitespace-pre-wrap" title={assistant.instructions}>
                  {assistant.instructions}
                </span>
              ),
          },
          {
            label: "Answers",
            value: `up to ${formatCount(settings.answerTokens, "token")} from ${formatCount(settings.passages, "passage")}, temperature ${formatNumber(settings.temperature, 1)}`,
          },
        ]}
      />
      <div className="mt-auto flex flex-wrap gap-2 pt-5">
        {usable && (
          <>
            <Button asChild variant="primary" size="small">
              <Link href={href(`/chat?assistant=${assistant.id}`)}>
                <MessagesSquare aria-hidden /> Chat
              </Link>
            </Button>
            <Button asChild size="small">
              <Link href={href(`/assistants/compare?left=${assistant.id}`)}>
                <Columns2 aria-hidden /> Try beside another
              </Link>
            </Button>
          </>
        )}
        <Button size="small" onClick={() => setShowing("api")}>
          <Code aria-hidden /> API
        </Button>
      </div>
      <Dialog open={showing === "api"} onOpenChange={(open) => setShowing(open ? "api" : null)}>
        <SheetContent
          title={`${assistant.name} in the API`}
          description="OpenAI's chat completions. Only text that the documents support is sent; the citations come beside it."
        >
          <ApiSnippet model={assistant.name} />
        </SheetContent>
      </Dialog>
      <DeleteAssistant
        assistant={assistant}
        open={showing === "delete"}
        onOpenChange={(open) => setShowing(open ? "delete" : null)}
      />
    </Panel>
  );
}

function AssistantStatus({ usability }: { usability: Assistant["usability"] }) {
  switch (usability) {
    case "usable":
      return <Status kind="ready" word="Answers" />;
    case "notPermitted":
      return <Status kind="stopped" word="Not permitted to you" />;
    case "modelMissing":
      return <Status kind="failed" word="Its model is not deployed" />;
  }
}

type DeleteProps = { assistant: Assistant; open: boolean; onOpenChange(open: boolean): void };

function DeleteAssistant({ assistant, open, onOpenChange }: DeleteProps) {
  const trpc = useTRPC();
  const remove = useMutation(
    trpc.assistants.remove.mutationOptions({
      meta: { inlineError: true },
      onSuccess: () => {
        toast(`${assistant.name} was deleted.`);
        onOpenChange(false);
      },
    }),
  );
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Delete the assistant “${assistant.name}”?`}
      action="Delete assistant"
      destructive
      typedName={assistant.name}
      busy={remove.isPending}
      error={remove.error && wireErrorOf(remove.error)}
      onConfirm={() => remove.mutate({ id: assistant.id })}
    >
      <p>
        API clients that ask for it are refused at once
        {assistant.conversations > 0 &&
          `, and ${formatCount(assistant.conversations, "conversation")} of everyone's with it are destroyed`}
        . The model, the documents and their passages stay. This cannot be undone.
      </p>
    </ConfirmDialog>
  );
}
