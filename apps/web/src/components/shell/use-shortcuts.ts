"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { destinations } from "#components/shell/navigation.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const chordMs = 1_200;

type Actions = { openPalette(): void; openHelp(): void };

/** Ctrl-K anywhere; `g` + letter, `/` and `?` wherever nobody is typing. */
export function useShortcuts({ openPalette, openHelp }: Actions) {
  const router = useRouter();
  const { href } = useWorkspace();
  useEffect(() => {
    let chordUntil = 0;
    function onKeyDown(event: KeyboardEvent) {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        openPalette();
        return;
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (Date.now() < chordUntil) {
        chordUntil = 0;
        const target = destinations.find((each) => each.key === event.key.toLowerCase());
        if (target) {
          event.preventDefault();
          router.push(href(target.path));
        }
      } else if (event.key === "g") chordUntil = Date.now() + chordMs;
      else if (event.key === "?") openHelp();
      else if (event.key === "/") {
        const search = document.querySelector<HTMLElement>("[data-page-search]");
        event.preventDefault();
        if (search) search.focus();
        else openPalette();
      }
    }
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, [router, href, openPalette, openHelp]);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest("input, textarea, select, [role=dialog], [role=menu], [role=listbox]") !== null)
  );
}
