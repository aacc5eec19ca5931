"use client";

import { useState, type ReactNode } from "react";
import { ConfirmDialog } from "#components/ui/confirm-dialog.tsx";

/**
 * Keeps a filled form from being lost by Escape, a click beside it or a cross.
 * @returns `leave` does what it is given, at once where nothing would be lost and else when somebody says so;
 * `question` is to be put beside the form's dialog, not into it
 */
export function useDiscardQuestion(isChanged: boolean): { leave(action: () => void): void; question: ReactNode } {
  const [asked, setAsked] = useState<{ action(): void } | null>(null);
  return {
    leave(action) {
      if (isChanged) setAsked({ action });
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
