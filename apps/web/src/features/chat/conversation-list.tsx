"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { MoreHorizontal, Pencil, Plus, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { toast } from "sonner";
import { Button } from "#components/ui/button.tsx";
import {
  DropdownMenu,
  DropdownMenuContent,
  DropdownMenuItem,
  DropdownMenuTrigger,
} from "#components/ui/dropdown-menu.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Input } from "#components/ui/input.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { cn } from "#lib/class-names.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useNow } from "#lib/use-now.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Conversation = Answers["chat"]["list"][number];
type ListProps = { current: string | null; onOpen(conversationId: string | null): void };

const dayMs = 86_400_000;

export function ConversationList({ current, onOpen }: ListProps) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.chat.list.queryOptions());
  const now = useNow();
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="p-3">
        <Button className="w-full" onClick={() => onOpen(null)}>
          <Plus aria-hidden /> New conversation
        </Button>
      </div>
      <nav aria-label="Conversations" className="min-h-0 flex-1 overflow-y-auto px-2 pb-4">
        {error && !data && <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />}
        {!data && !error && <SkeletonRows className="px-2" />}
        {data?.length === 0 && (
          <p className="px-2 text-13 text-muted">Your conversations stand here. Only you see them.</p>
        )}
        {groupByAge(data ?? [], now ?? new Date()).map(({ label, conversations }) => (
          <section key={label} className="mb-3">
            <h2 className="px-2 py-1 text-xs text-faint">{label}</h2>
            <ul className="space-y-px">
              {conversations.map((conversation) => (
                <Entry
                  key={conversation.id}
                  conversation={conversation}
                  current={conversation.id === current}
                  onOpen={onOpen}
                />
              ))}
            </ul>
          </section>
        ))}
      </nav>
    </div>
  );
}

function Entry({
  conversation,
  current,
  onOpen,
}: Omit<ListProps, "current"> & { conversation: Conversation; current: boolean }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const [renaming, setRenaming] = useState(false);
  const refresh = () => queryClient.invalidateQueries({ queryKey: trpc.chat.pathKey() });
  const { id: conversationId, title } = conversation;
  const rename = useMutation(
    trpc.chat.rename.mutationOptions({ onSuccess: refresh, onSettled: () => setRenaming(false) }),
  );
  const restore = useMutation(trpc.chat.restore.mutationOptions({ onSuccess: refresh }));
  const remove = useMutation(
    trpc.chat.remove.mutationOptions({
      onSuccess: async () => {
        if (current) onOpen(null);
        toast("The conversation was deleted.", {
          action: { label: "Undo", onClick: () => restore.mutate({ conversationId }) },
        });
        await refresh();
      },
    }),
  );
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const next = String(new FormData(event.currentTarget).get("title")).trim();
    if (next === "" || next === title) setRenaming(false);
    else rename.mutate({ conversationId, title: next });
  }
  if (renaming)
    return (
      <li>
        <form onSubmit={submit}>
          <Input
            name="title"
            aria-label="Title"
            defaultValue={title}
            maxLength={200}
            autoFocus
            onFocus={(event) => event.target.select()}
            onBlur={(event) => event.target.form?.requestSubmit()}
            onKeyDown={(event) => event.key === "Escape" && setRenaming(false)}
          />
        </form>
      </li>
    );
  return (
    <li
      className={cn(
        "group/entry flex items-center rounded-control",
        current ? "bg-accent-soft text-accent" : "text-muted hover:bg-hover hover:text-ink",
      )}
    >
      <button
        type="button"
        data-focus-inset
        aria-current={current ? "true" : undefined}
        title={title}
        onClick={() => onOpen(conversationId)}
        className="h-8 min-w-0 flex-1 truncate px-2 text-left text-13"
      >
        {title}
      </button>
      <DropdownMenu>
        <DropdownMenuTrigger asChild>
          <Button
            variant="ghost"
            size="icon-small"
            aria-label={`Rename or delete “${title}”`}
            className="shrink-0 opacity-0 group-focus-within/entry:opacity-100 group-hover/entry:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100"
          >
            <MoreHorizontal />
          </Button>
        </DropdownMenuTrigger>
        <DropdownMenuContent align="end" onCloseAutoFocus={(event) => event.preventDefault()}>
          <DropdownMenuItem onSelect={() => setRenaming(true)}>
            <Pencil aria-hidden /> Rename
          </DropdownMenuItem>
          <DropdownMenuItem destructive onSelect={() => remove.mutate({ conversationId })}>
            <Trash2 aria-hidden /> Delete
          </DropdownMenuItem>
        </DropdownMenuContent>
      </DropdownMenu>
    </li>
  );
}

function groupByAge(conversations: readonly Conversation[], now: Date) {
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const ages = [
    { label: "Today", since: midnight },
    { label: "Yesterday", since: midnight - dayMs },
    { label: "The last seven days", since: midnight - 7 * dayMs },
    { label: "Earlier", since: Number.NEGATIVE_INFINITY },
  ];
  const ageOf = ({ updatedAt }: Conversation) => ages.find((age) => updatedAt.getTime() >= age.since)!.label;
  return ages
    .map(({ label }) => ({ label, conversations: conversations.filter((each) => ageOf(each) === label) }))
    .filter((group) => group.conversations.length > 0);
}
