import type { PlanAnswer } from "@anneal/sizing/plan/plan";
import type { SizingAnswerError } from "@anneal/sizing/answer";
import type { BriefPreview } from "#features/planner/preview-brief.ts";

export type PlannerAsk = { id: number; brief: Record<string, unknown> };
/** The preview comes at once, the plans follow; an error takes the place of both. */
export type PlannerReply = { id: number } & (
  | { kind: "preview"; preview: BriefPreview }
  | { kind: "plans"; answer: PlanAnswer }
  | ({ kind: "error" } & SizingAnswerError)
);
