import type { Replica } from "@anneal/db/queries/serving";
import { requestPriority } from "@anneal/sizing/autoscale/request-priority";

/** Of English text in the tokenizers of open models; a rough count is enough to tell a long prompt from a short one. */
const charactersPerToken = 4;

export type Flight = {
  /** What vLLM's `priority` is to be; null for an engine that knows none. */
  priority: 0 | 1 | null;
  firstToken: () => void;
  end: () => void;
};

/** What this process has in flight on each replica. */
export type ReplicaLoad = {
  /** Ready replicas, the least busy first. */
  order(replicas: readonly Replica[]): Replica[];
  begin(replica: Replica, promptCharacters: number, waitedMs: number): Flight;
};

export function createReplicaLoad(): ReplicaLoad {
  const requests = new Map<string, number>();
  /** Of the requests that were to be in time and have no first token yet. */
  const pendingTokens = new Map<string, number>();
  const add = (counts: Map<string, number>, url: string, count: number) => {
    const sum = (counts.get(url) ?? 0) + count;
    if (sum > 0) counts.set(url, sum);
    else counts.delete(url);
  };

  return {
    order: (replicas) =>
      replicas
        .filter((replica) => replica.status === "ready")
        .toSorted((left, right) => (requests.get(left.url) ?? 0) - (requests.get(right.url) ?? 0)),
    begin({ url, servingProfile }, promptCharacters, waitedMs) {
      const promptTokens = Math.ceil(promptCharacters / charactersPerToken);
      const priority =
        servingProfile?.order === "late-last"
          ? requestPriority(
              { pendingPromptTokens: pendingTokens.get(url) ?? 0, promptTokens, waitedMs },
              servingProfile.profile,
              servingProfile.limits,
            )
          : null;
      let pending = priority === 0 ? promptTokens : 0;
      let ended = false;
      const firstToken = () => {
        add(pendingTokens, url, -pending);
        pending = 0;
      };
      add(requests, url, 1);
      add(pendingTokens, url, pending);
      return {
        priority,
        firstToken,
        end() {
          if (ended) return;
          ended = true;
          firstToken();
          add(requests, url, -1);
        },
      };
    },
  };
}
