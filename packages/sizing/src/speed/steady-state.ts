import type { Stretch } from "./attention-work.ts";
import { type Replica, stepTokenBudget, type StepTime, timeStep } from "./step-time.ts";

/** `batch` requests are in flight all the time: as one ends the next one comes (a closed loop). */
export type Demand = {
  batch: number;
  /** Tokens of the prompt that are computed, after those that the prefix cache already holds. */
  cachedTokens: number;
  inputTokens: number;
  outputTokens: number;
  /** Tokens that one step yields for a sequence, and computes for it: both 1 without drafts. */
  tokensPerStep: number;
  verifiedPerStep: number;
  /** Prompts are computed on other GPUs. */
  disaggregated: boolean;
};

export type SteadyState = {
  /** A step without prompts. */
  decode: StepTime;
  /** Sequences that decode at the same time, on average: the others wait for their first token. */
  sequences: number;
  /** What one prompt adds to the steps that carry it, in ms. */
  prefillMs: number;
  /** Prompts that a new one waits for. */
  ahead: number;
  ttftMs: number;
  tpotMs: number;
};

const rounds = 4;

/**
 * The fixed point of a closed loop: the time to the first token decides how many sequences decode at the same time
 * (Little's law), and those decide the time of a step.
 */
export function solveSteadyState(replica: Replica, demand: Demand): SteadyState {
  const { batch, outputTokens } = demand;
  let state = settleAt(replica, demand, batch);
  for (let round = 0; round < rounds; round++) {
    const decodingMs = state.tpotMs * Math.max(1, outputTokens - 1);
    const next = Math.max(1, (batch * decodingMs) / (decodingMs + state.ttftMs));
    state = settleAt(replica, demand, Math.min(batch, (state.sequences + next) / 2));
  }
  return state;
}

/** Prompts go into the steps of the sequences that decode, in chunks of at most `stepTokenBudget` tokens. */
function settleAt(replica: Replica, demand: Demand, sequences: number): SteadyState {
  const { batch, inputTokens, outputTokens, tokensPerStep } = demand;
  const { engine, constants, work, parallelism } = replica;
  const { pipelineParallel: stages } = parallelism;
  const load = {
    sequences: Math.max(1, sequences / stages),
    context: inputTokens + outputTokens / 2,
    tokensPerSequence: demand.verifiedPerStep,
  };
  const decode = timeStep(replica, { ...load, prompts: [] });
  const budget = stepTokenBudget(replica.gpu);
  const computed = inputTokens - demand.cachedTokens;
  const prefillMs = cutPrompt(computed, budget, demand.cachedTokens).reduce((sum, chunk) => {
    const beside = demand.disaggregated ? { ...load, sequences: 0 } : load;
    const step = timeStep(replica, { ...beside, prompts: [chunk] });
    return sum + step.total - (demand.disaggregated ? 0 : decode.total);
  }, 0);
  const ahead = Math.min(batch - 1, engine.waveDepth * ((batch - 1) / (batch + 1)) + engine.burstShare * (batch - 1));
  const perPromptMs = prefillMs / stages;
  const interfering = demand.disaggregated ? 0 : batch - 1 - ahead;
  const stepMs = decode.total + ((interfering * tokensPerStep) / outputTokens) * perPromptMs;
  const firstTokenUs =
    constants.firstTokenLayerUs * work.layerCount +
    engine.firstTokenExpertLayerUs * engine.expertFactor * work.expertLayerCount;
  const ttftMs = constants.firstTokenMs + 1e-3 * firstTokenUs + 1.5 * decode.total + prefillMs + ahead * perPromptMs;
  return { decode, sequences, prefillMs, ahead, ttftMs, tpotMs: stepMs / tokensPerStep };
}

function cutPrompt(tokens: number, budget: number, past: number): Stretch[] {
  const chunks: Stretch[] = [];
  for (let done = 0; done < tokens; done += budget) {
    chunks.push({ past: past + done, tokens: Math.min(budget, tokens - done) });
  }
  return chunks;
}
