"use client";

import type { DocumentView } from "#features/documents/document-page.tsx";
import { cn } from "#lib/class-names.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const notes: Partial<Record<NonNullable<DocumentView["originalView"]>, string>> = {
  page: "Shown without its scripts, and without anything that it would load from elsewhere.",
  text: "Shown as plain text.",
};

/** The bytes as the source had them, in a frame that may do nothing: they are whatever somebody once wrote. */
export function DocumentOriginal({ document, className }: { document: DocumentView; className?: string }) {
  const { slug } = useWorkspace();
  const { originalView: view } = document;
  if (view === null) return null;
  return (
    <section aria-label="Original" className={cn("flex flex-col gap-2", className)}>
      <iframe
        title={`The original of ${document.title}`}
        src={`/api/w/${slug}/documents/${document.id}/original?view${view === "pdf" ? "#navpanes=0" : ""}`}
        // A sandbox keeps the browser's PDF viewer from starting; what it shows is apart from this page anyway.
        sandbox={view === "pdf" ? undefined : ""}
        referrerPolicy="no-referrer"
        className="min-h-0 w-full flex-1 rounded-panel border border-line bg-white scheme-light"
      />
      {notes[view] && <p className="text-xs text-faint">{notes[view]}</p>}
    </section>
  );
}
