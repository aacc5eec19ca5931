"use client";

import { mayEdit, mayRun } from "@anneal/core/access/roles";
import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import {
  BookOpenText,
  Boxes,
  Cable,
  FileText,
  Flame,
  History,
  Keyboard,
  Play,
  Search,
  Sparkles,
  type LucideIcon,
} from "lucide-react";
import { useRouter } from "next/navigation";
import { Dialog as Radix } from "radix-ui";
import { useDeferredValue, useEffect, useRef, useState, type ReactNode } from "react";
import { destinations } from "#components/shell/navigation.ts";
import { Kbd } from "#components/ui/kbd.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type PaletteProps = { open: boolean; onOpenChange(open: boolean): void; onHelp(): void };

const hitIcons: Record<Answers["search"]["find"][number]["kind"], LucideIcon> = {
  adapter: Boxes,
  assistant: Sparkles,
  dataset: BookOpenText,
  document: FileText,
  run: History,
  source: Cable,
  training: Flame,
};

/** Go to a page, start something, or find a thing by its name or id. */
export function CommandPalette({ open, onOpenChange, onHelp }: PaletteProps) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-black/40 dark:bg-black/60" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed top-[12dvh] left-1/2 z-50 w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 animate-rise-in overflow-hidden rounded-panel border border-line bg-raised shadow-raised"
        >
          <Radix.Title className="sr-only">Go to, run, find</Radix.Title>
          <Palette close={() => onOpenChange(false)} onHelp={onHelp} />
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

function Palette({ close, onHelp }: { close(): void; onHelp(): void }) {
  const router = useRouter();
  const trpc = useTRPC();
  const { href, role } = useWorkspace();
  const [text, setText] = useState("");
  const wanted = useDeferredValue(text.trim());
  const { data: hits = [], isFetching } = useQuery({
    ...trpc.search.find.queryOptions({ text: wanted }),
    enabled: wanted.length >= 2,
  });

  // The first one is always chosen, so that Enter goes there: cmdk itself does not see what the server finds later.
  const list = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState("");
  const found = hits.map(({ id }) => id).join(" ");
  useEffect(() => {
    const first = list.current?.querySelector("[cmdk-item]:not([aria-disabled=true])");
    setChosen(first?.getAttribute("data-value") ?? "");
  }, [text, found]);

  function run(action: () => void) {
    close();
    action();
  }
  const go = (path: string) => run(() => router.push(href(path)));

  return (
    <Command loop value={chosen} onValueChange={setChosen}>
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search aria-hidden className="size-4 shrink-0 text-faint" />
        <Command.Input
          value={text}
          onValueChange={setText}
          placeholder="Go to a page, run something, or find by name or id"
          className="h-12 flex-1 bg-transparent text-sm outline-none"
        />
        <Kbd>Esc</Kbd>
      </div>
      <Command.List
        ref={list}
        className="max-h-[min(24rem,60dvh)] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2.5 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-xs [&_[cmdk-group-heading]]:text-muted"
      >
        {hits.length === 0 && (
          <Command.Empty className="px-3 py-8 text-center text-13 text-muted">
            {isFetching
              ? "Searching…"
              : "Nothing has this name or id. Try the title of a document, the name of a dataset, or the first characters of an id."}
          </Command.Empty>
        )}
        {hits.length > 0 && (
          <Command.Group heading="Found" forceMount>
            {hits.map((hit) => (
              <Item
                key={hit.id}
                icon={hitIcons[hit.kind]}
                value={`found ${hit.id}`}
                forceMount
                onSelect={() => go(hit.path)}
                detail={hit.detail}
              >
                {hit.title}
              </Item>
            ))}
          </Command.Group>
        )}
        <Command.Group heading="Go to">
          {destinations.map((each) => (
            <Item
              key={each.path}
              icon={each.icon}
              value={`go to ${each.label}`}
              onSelect={() => go(each.path)}
              keys={["g", each.key]}
            >
              {each.label}
            </Item>
          ))}
        </Command.Group>
        <Command.Group heading="Do">
          {mayRun(role) && (
            <Item icon={Play} value="run the loop again start" onSelect={() => go("?run=1")}>
              Run the loop
            </Item>
          )}
          {mayEdit(role) && (
            <Item icon={Cable} value="add a source connect" onSelect={() => go("/sources?add=1")}>
              Add a source
            </Item>
          )}
          <Item icon={Keyboard} value="keyboard shortcuts help" onSelect={() => run(onHelp)} keys={["?"]}>
            Keyboard shortcuts
          </Item>
        </Command.Group>
      </Command.List>
    </Command>
  );
}

type ItemProps = {
  icon: LucideIcon;
  value: string;
  onSelect(): void;
  forceMount?: boolean;
  keys?: string[];
  detail?: string;
  children: ReactNode;
};

function Item({ icon: Icon, value, onSelect, forceMount, keys, detail, children }: ItemProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      forceMount={forceMount}
      className="flex h-9 cursor-default items-center gap-2.5 rounded-control px-2.5 text-13 data-[selected=true]:bg-hover"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-muted" strokeWidth={1.75} />
      <span className="truncate">{children}</span>
      {detail && <span className="ml-auto max-w-[45%] truncate text-xs text-faint">{detail}</span>}
      {keys && (
        <span className="ml-auto flex gap-1">
          {keys.map((key) => (
            <Kbd key={key}>{key}</Kbd>
          ))}
        </span>
      )}
    </Command.Item>
  );
}
