import { describeSizingError } from "@anneal/sizing/answer";
import { makePlans } from "@anneal/sizing/plan/plan";
import type { PlannerAsk, PlannerReply } from "#features/planner/planner-messages.ts";
import { previewBrief } from "#features/planner/preview-brief.ts";

/** Sizing away from the page, which stays at once at every key and slider. */
self.addEventListener("message", ({ data: { id, brief } }: MessageEvent<PlannerAsk>) => {
  const reply = (message: PlannerReply) => self.postMessage(message);
  try {
    reply({ id, kind: "preview", preview: previewBrief(brief) });
    reply({ id, kind: "plans", answer: makePlans(brief) });
  } catch (error) {
    reply({ id, kind: "error", ...describeSizingError(error) });
  }
});
