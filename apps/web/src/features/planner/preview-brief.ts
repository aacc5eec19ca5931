import { readBrief } from "@anneal/sizing/plan/brief";
import { planConcurrency } from "@anneal/sizing/plan/concurrency";
import { planPreview, type Preview } from "@anneal/sizing/plan/plan-preview";

export type BriefPreview = Preview & {
  /** Requests that the memory has room for. */
  requests: number;
};

/** Sequences that bulk work keeps running together, where only its rate is known. */
const bulkRequests = 64;

/**
 * Every GPU of the catalogue under the load of a brief, whatever GPUs it chooses from.
 * @throws SizingError as readBrief and planPreview
 */
export function previewBrief(input: Record<string, unknown>): BriefPreview {
  const brief = readBrief(input);
  const [stated = {}] = brief.workloads;
  const [model] = brief.candidates;
  const workload = planConcurrency(stated);
  const requests = workload.inFlightAtOnce ?? bulkRequests;
  const [precision] = brief.precisions ?? [];
  const preview = planPreview({
    config: model?.config ?? {},
    users: requests,
    profile: workload.profile.name,
    context: workload.contextTokens,
    ...(stated.inputTokens === undefined ? {} : { inputTokens: stated.inputTokens }),
    ...(stated.outputTokens === undefined ? {} : { outputTokens: stated.outputTokens }),
    ...(precision === undefined ? {} : { precision }),
    ...(brief.kvCacheDtype === undefined ? {} : { kvCacheDtype: brief.kvCacheDtype }),
  });
  return { ...preview, workload, requests };
}
