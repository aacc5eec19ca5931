import { AnnealError } from "@anneal/core/errors";
import type { Replica } from "@anneal/db/queries/serving";
import { classifyEngineError } from "@anneal/engines/inference-client";
import { Agent, errors, request, type Dispatcher } from "undici";
import { env } from "#env.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";
import { failureOutcome, metrics, type CallLabels } from "#server/metrics.ts";

/** Kept-alive connections: a new one for each request would cost more than everything else the gateway does. */
const shared = globalThis as typeof globalThis & { annealEngineAgent?: Agent };
const agent = () =>
  (shared.annealEngineAgent ??= new Agent({
    connections: 256,
    pipelining: 1,
    headersTimeout: 600_000,
    bodyTimeout: 600_000,
  }));

const busy = new Map<string, number>();

/** Ready replicas, the least busy of this process first. */
function orderReplicas(replicas: readonly Replica[]): Replica[] {
  return replicas
    .filter((replica) => replica.status === "ready")
    .toSorted((left, right) => (busy.get(left.url) ?? 0) - (busy.get(right.url) ?? 0));
}

type EngineCall = {
  path: string;
  servingName: () => Promise<string>;
  body: Record<string, unknown>;
  signal: AbortSignal;
  labels: CallLabels;
};
type SentRequest = { body: Dispatcher.ResponseData["body"]; contentType: string; end: () => void };
export type EngineResponse = Omit<SentRequest, "end"> & {
  /** To be called when a stream begins to answer. */
  firstToken: () => void;
  end: (outcome?: "cancelled") => void;
};

/**
 * Sends a body to an engine under a serving name, counted as in flight until `end` is called. A replica that does not
 * answer is passed over for the next one; nothing has been sent to the client yet.
 * @param servingName asked for again when the engine no longer knows the first: the alias was flipped meanwhile.
 */
export async function requestEngine(table: RoutingTable, call: EngineCall): Promise<EngineResponse> {
  const metered = metrics().beginCall(call.labels);
  try {
    const sent = await sendToReplica(table, call);
    const end = (outcome?: "cancelled") => {
      sent.end();
      metered.end(outcome ?? outcomeOf(sent.body, call.signal));
    };
    return { ...sent, firstToken: metered.firstToken, end };
  } catch (error) {
    metered.end(failureOutcome(error, call.signal));
    throw error;
  }
}

function outcomeOf(body: SentRequest["body"], signal: AbortSignal): string {
  // A reader that leaves after the last event, before the connection's end, leaves undici's own abort behind.
  const broken = body.errored && !(body.errored instanceof errors.RequestAbortedError);
  return signal.aborted ? "cancelled" : broken ? "failed" : "ok";
}

async function sendToReplica(table: RoutingTable, call: EngineCall): Promise<SentRequest> {
  const { ANNEAL_INFERENCE_API_KEY: apiKey } = env();
  let failure: AnnealError | undefined;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const [replica] = orderReplicas(await table.replicas());
    if (!replica) break;
    const servingName = await call.servingName();
    const endFlight = table.begin(servingName);
    busy.set(replica.url, (busy.get(replica.url) ?? 0) + 1);
    const end = () => {
      endFlight();
      busy.set(replica.url, Math.max(0, (busy.get(replica.url) ?? 1) - 1));
    };
    try {
      const response = await request(`${replica.url}${call.path}`, {
        dispatcher: agent(),
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body: JSON.stringify({ ...call.body, model: servingName }),
        signal: call.signal,
      });
      if (response.statusCode < 400) {
        return {
          body: response.body,
          contentType: String(response.headers["content-type"] ?? "application/json"),
          end,
        };
      }
      failure = classifyEngineError(response.statusCode, await response.body.text());
      end();
      if (failure.code !== "NOT_FOUND") throw failure;
    } catch (error) {
      end();
      if (error instanceof AnnealError || call.signal.aborted) throw error;
      failure = new AnnealError("ENGINE_UNAVAILABLE", "The inference engine does not answer.", {
        action: "It is restarted by itself; try again in a moment.",
        retryable: true,
        cause: error,
      });
      await new Promise((resolve) => setTimeout(resolve, 200 * (attempt + 1)));
    }
  }
  throw (
    failure ??
    new AnnealError("ENGINE_UNAVAILABLE", "No inference engine is ready.", {
      action: "It may still be starting; try again in a moment, and see the Pools page.",
      retryable: true,
    })
  );
}
