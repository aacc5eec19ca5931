import { BadgeCheck, CircleHelp, Quote, TriangleAlert, type LucideIcon } from "lucide-react";
import { cn } from "#lib/class-names.ts";

export type OutcomeKind = "grounded" | "quoted" | "refused" | "ungrounded" | "failed";

const looks: Record<OutcomeKind, { icon: LucideIcon; color: string; word: string }> = {
  grounded: { icon: BadgeCheck, color: "text-ready", word: "Grounded" },
  quoted: { icon: Quote, color: "text-accent", word: "Quoted from the document" },
  refused: { icon: CircleHelp, color: "text-stopped", word: "Not answered" },
  ungrounded: { icon: CircleHelp, color: "text-waiting", word: "Not checked" },
  failed: { icon: TriangleAlert, color: "text-failed", word: "Failed" },
};

const refusals: Record<string, string> = {
  NO_PASSAGES: "Nothing that you may read was found for this question.",
  NOTHING_RELEVANT: "What was found does not speak to this question.",
  MODEL_REFUSED: "The model found no answer in the passages, and none of them answers plainly enough to be quoted.",
  UNSUPPORTED: "The model's answer is not supported by the documents, so it is not shown.",
};

function explain(kind: OutcomeKind, reason: string | null): string {
  switch (kind) {
    case "grounded":
      return "Every sentence is supported by the passage that it cites.";
    case "quoted":
      return reason === "MODEL_REFUSED"
        ? "The model gave no answer of its own; this is the closest passage, word for word."
        : "The documents do not support the model's own words; this is the closest passage, word for word.";
    case "refused":
      return refusals[reason ?? ""] ?? "The documents do not answer this question.";
    case "ungrounded":
      return "This answer was not held against any document.";
    case "failed":
      return "No answer was made.";
  }
}

/** How far an answer can be relied on, and why, in one line. */
export function Outcome({ kind, reason }: { kind: OutcomeKind; reason: string | null }) {
  const { icon: Icon, color, word } = looks[kind];
  return (
    <p className="flex flex-wrap items-center gap-x-2 text-xs text-muted">
      <span className={cn("inline-flex items-center gap-1 font-medium whitespace-nowrap", color)}>
        <Icon aria-hidden className="size-3.5" /> {word}
      </span>
      <span>{explain(kind, reason)}</span>
    </p>
  );
}
