import { describe, expect, it } from "vitest";
import { AnnealError } from "@anneal/core/errors";
import { createIdentity } from "./auth/identity.ts";
import { createMetrics, failureOutcome } from "./metrics.ts";

const call = { workspace: "w1", model: "support@production", kind: "adapter" } as const;
const identity = createIdentity({
  userId: "u",
  email: "ada@example.com",
  workspaceId: "w1",
  role: "member",
  via: { kind: "session" },
});

async function linesOf(metrics: ReturnType<typeof createMetrics>, workspaceId = "w1"): Promise<string[]> {
  return (await metrics.describeFor(workspaceId)).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

describe("metrics", () => {
  it("counts a call in flight until it ends, and each call once", async () => {
    const metrics = createMetrics();
    const metered = metrics.beginCall(call);
    const series = '{workspace="w1",model="support@production",kind="adapter"';
    expect(await linesOf(metrics)).toContain(`anneal_gateway_in_flight${series}} 1`);
    metered.firstToken();
    metered.firstToken();
    metered.end("ok");
    metered.end("failed");
    const lines = await linesOf(metrics);
    expect(lines).toContain(`anneal_gateway_in_flight${series}} 0`);
    expect(lines.filter((line) => line.startsWith("anneal_gateway_requests_total"))).toEqual([
      `anneal_gateway_requests_total${series},outcome="ok"} 1`,
    ]);
    expect(lines).toContain(`anneal_gateway_time_to_first_token_seconds_count${series}} 1`);
    expect(lines).toContain(`anneal_gateway_duration_seconds_count${series}} 1`);
  });

  it("adds up tokens by direction", async () => {
    const metrics = createMetrics();
    metrics.countTokens(identity, "support", { promptTokens: 7, completionTokens: 3 });
    metrics.countTokens(identity, "support", { promptTokens: 1, completionTokens: 0 });
    const lines = await linesOf(metrics);
    expect(lines).toContain('anneal_gateway_tokens_total{workspace="w1",model="support",direction="prompt"} 8');
    expect(lines).toContain('anneal_gateway_tokens_total{workspace="w1",model="support",direction="completion"} 3');
  });

  it("names no more models than its capacity, however many are made", async () => {
    const metrics = createMetrics(2);
    for (const model of ["a", "b", "c", "d", "a"]) metrics.countAnswer(identity, model, "grounded");
    const answers = (await linesOf(metrics)).filter((line) => line.startsWith("anneal_assistant_answers_total"));
    const seriesOf = (model: string, count: number) =>
      `anneal_assistant_answers_total{workspace="w1",model="${model}",outcome="grounded"} ${count}`;
    expect(answers).toEqual([seriesOf("a", 2), seriesOf("b", 1), seriesOf("other", 2)]);
  });

  it("shows nothing of another workspace, whatever its models are called", async () => {
    const metrics = createMetrics();
    metrics.beginCall(call).end("ok");
    metrics.beginCall({ ...call, workspace: "w2", model: 'secret",workspace="w1' }).end("ok");
    metrics.beginCall({ ...call, workspace: "w2", model: 'w2{workspace="w1"}\nanneal_forged 1' }).end("ok");
    expect((await linesOf(metrics)).filter((line) => /secret|w2|forged/.test(line))).toEqual([]);
    expect((await linesOf(metrics, "w2")).filter((line) => line.includes("support"))).toEqual([]);
    expect((await linesOf(metrics, "w2")).some((line) => line.includes("secret"))).toBe(true);
  });

  it("calls a refused call by its code, an abort cancelled and everything else failed", () => {
    const { signal } = new AbortController();
    const refused = new AnnealError("MODEL_UNKNOWN", "There is none.", { action: "Choose another." });
    expect(failureOutcome(refused, signal)).toBe("MODEL_UNKNOWN");
    expect(failureOutcome(new TypeError("secret text"), signal)).toBe("failed");
    expect(failureOutcome(refused, AbortSignal.abort())).toBe("cancelled");
  });
});
