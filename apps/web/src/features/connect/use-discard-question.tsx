"use client";

import { useCallback, useRef, useState, type ReactNode } from "react";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";

type DiscardQuestion = {
  /** To be told whether something stands in the form that would be lost. */
  onChangedness(isChanged: boolean): void;
  /** Does what it is given: at once where nothing would be lost, else when somebody says so. */
  leave(action: () => void): void;
  /** To be put beside the form's dialog, not into it. */
  question: ReactNode;
};

/** Keeps a filled form from being lost by Escape, a click beside it or a cross. */
export function useDiscardQuestion(): DiscardQuestion {
  // No state: Escape may come right after a letter, before a state would have been drawn.
  const isChanged = useRef(false);
  const onChangedness = useCallback((changed: boolean) => void (isChanged.current = changed), []);
  const [asked, setAsked] = useState<{ action(): void } | null>(null);
  return {
    onChangedness,
    leave(action) {
      if (isChanged.current) setAsked({ action });
      else action();
    },
    question: (
      <ConfirmDialog
        open={asked !== null}
        onOpenChange={(open) => !open && setAsked(null)}
        title="Discard what you entered?"
        action="Discard"
        cancel="Keep editing"
        destructive
        onConfirm={() => {
          setAsked(null);
          asked?.action();
        }}
      >
        <p>Nothing of it is saved yet.</p>
      </ConfirmDialog>
    ),
  };
}
