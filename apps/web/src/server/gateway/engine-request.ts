import { AnnealError } from "@anneal/core/errors";
import { classifyEngineError } from "@anneal/engines/inference-client";
import { Agent, errors, request, type Dispatcher } from "undici";
import { env } from "#env.ts";
import { createReplicaLoad } from "#server/gateway/replica-load.ts";
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

const load = createReplicaLoad();

type EngineCall = {
  path: string;
  servingName: () => Promise<string>;
  body: Record<string, unknown>;
  signal: AbortSignal;
  labels: CallLabels;
};
type SentRequest = {
  body: Dispatcher.ResponseData["body"];
  contentType: string;
  /** To be called when a stream begins to answer. */
  firstToken: () => void;
  end: () => void;
};
export type EngineResponse = Omit<SentRequest, "end"> & {
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
    const firstToken = () => {
      sent.firstToken();
      metered.firstToken();
    };
    return { ...sent, firstToken, end };
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
  const receivedAt = performance.now();
  const promptCharacters = countCharacters(call.body["messages"]);
  let failure: AnnealError | undefined;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const [replica] = load.order(await table.replicas());
    if (!replica) break;
    const servingName = await call.servingName();
    const endFlight = table.begin(servingName);
    const flight = load.begin(replica, promptCharacters, performance.now() - receivedAt);
    const end = () => {
      endFlight();
      flight.end();
    };
    const priority = flight.priority === null ? {} : { priority: flight.priority };
    try {
      const response = await request(`${replica.url}${call.path}`, {
        dispatcher: agent(),
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
        body: JSON.stringify({ ...call.body, ...priority, model: servingName }),
        signal: call.signal,
      });
      if (response.statusCode < 400) {
        return {
          body: response.body,
          contentType: String(response.headers["content-type"] ?? "application/json"),
          firstToken: flight.firstToken,
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

/** Of the text in messages, whatever they are nested in. */
function countCharacters(value: unknown, key = ""): number {
  // Images and sound are data, not text: their tokens are not told by their length.
  if (typeof value === "string") return key === "url" || key === "data" ? 0 : value.length;
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce((sum, [name, part]) => sum + countCharacters(part, name), 0);
}
