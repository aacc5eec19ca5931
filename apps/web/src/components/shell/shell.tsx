"use client";

import { Menu, Search, Unplug } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import { useCallback, useState, type ReactNode } from "react";
import { CommandPalette } from "#components/shell/command-palette.tsx";
import { PersonMenu } from "#components/shell/person-menu.tsx";
import { Rail } from "#components/shell/rail.tsx";
import { RunningTray } from "#components/shell/running-tray.tsx";
import { ShortcutHelp } from "#components/shell/shortcut-help.tsx";
import { useLiveChanges } from "#components/shell/use-live-changes.ts";
import { useShortcuts } from "#components/shell/use-shortcuts.ts";
import { WorkspaceSwitch } from "#components/shell/workspace-switch.tsx";
import { Button } from "#components/ui/button.tsx";
import { Kbd } from "#components/ui/kbd.tsx";

/** What stands round every page. */
export function Shell({ renderedAt, children }: { renderedAt: number; children: ReactNode }) {
  const [open, setOpen] = useState<"palette" | "help" | "drawer" | null>(null);
  const openPalette = useCallback(() => setOpen("palette"), []);
  const openHelp = useCallback(() => setOpen("help"), []);
  const change = (which: NonNullable<typeof open>) => (next: boolean) => setOpen(next ? which : null);
  useShortcuts({ openPalette, openHelp });
  const { lost } = useLiveChanges(renderedAt);

  return (
    <div className="md:grid md:grid-cols-[13rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-control focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        Skip to content
      </a>
      <div className="sticky top-0 hidden h-dvh border-r border-line md:block">
        <Rail />
      </div>
      <Radix.Root open={open === "drawer"} onOpenChange={change("drawer")}>
        <Radix.Portal>
          <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-black/40 md:hidden" />
          <Radix.Content
            aria-describedby={undefined}
            className="fixed inset-y-0 left-0 z-50 w-64 animate-slide-in-left border-r border-line bg-canvas md:hidden"
          >
            <Radix.Title className="sr-only">Navigation</Radix.Title>
            <Rail onNavigate={() => setOpen(null)} />
          </Radix.Content>
        </Radix.Portal>
      </Radix.Root>

      <div className="flex min-h-dvh min-w-0 flex-col">
        <header className="sticky top-0 z-30 flex h-12 items-center gap-1 border-b border-line bg-canvas px-2 sm:px-4">
          <Button
            variant="ghost"
            size="icon"
            className="md:hidden"
            aria-label="Open navigation"
            onClick={() => setOpen("drawer")}
          >
            <Menu />
          </Button>
          <WorkspaceSwitch />
          <div className="flex-1" />
          {lost && <LostLine />}
          <button
            type="button"
            onClick={openPalette}
            className="hidden h-8 w-72 items-center gap-2 rounded-control border border-line bg-panel px-2.5 text-13 text-faint hover:border-line-strong lg:flex"
          >
            <Search aria-hidden className="size-4" />
            <span className="flex-1 text-left">Go to, run, find</span>
            <Kbd>Ctrl K</Kbd>
          </button>
          <Button variant="ghost" size="icon" className="lg:hidden" aria-label="Go to, run, find" onClick={openPalette}>
            <Search />
          </Button>
          <RunningTray />
          <PersonMenu />
        </header>
        <main id="content" tabIndex={-1} className="flex-1 outline-none">
          {children}
        </main>
      </div>

      <CommandPalette open={open === "palette"} onOpenChange={change("palette")} onHelp={openHelp} />
      <ShortcutHelp open={open === "help"} onOpenChange={change("help")} />
    </div>
  );
}

function LostLine() {
  return (
    <span
      role="status"
      title="What you see may be out of date. It catches up as soon as the connection is back."
      className="inline-flex h-7 items-center gap-1.5 rounded-full bg-waiting/12 px-2.5 text-xs font-medium text-waiting"
    >
      <Unplug aria-hidden className="size-3.5" />
      <span className="hidden sm:inline">Not live, reconnecting</span>
      <span className="sm:hidden">Not live</span>
    </span>
  );
}
