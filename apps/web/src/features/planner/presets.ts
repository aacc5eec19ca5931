import { defaultState, defaultView, writeState, type PlannerState } from "#features/planner/planner-state.ts";

export type Preset = { title: string; hint: string; state: PlannerState };

/** Worked cases to start from. */
export const presets: readonly Preset[] = [
  {
    title: "70B INT8, 40 users at 8K",
    hint: "On cards of 96 GB in the own machine room",
    state: {
      ...defaultState,
      precision: "int8",
      amount: 40,
      context: 8192,
      ttftMs: 2000,
      onPremises: true,
      gpus: ["RTX-PRO-6000"],
    },
  },
  {
    title: "70B INT8, 20 users at 32K",
    hint: "Fewer users with longer texts, on H100 or H200",
    state: { ...defaultState, precision: "int8", amount: 20, context: 32_768, gpus: ["H100-80GB", "H200"] },
  },
  {
    title: "5,000 staff",
    hint: "A chat for everybody with Qwen3 235B on H100",
    state: {
      ...defaultState,
      model: "qwen3-235b-a22b-fp8",
      load: "headCount",
      amount: 5000,
      gpus: ["H100-80GB"],
    },
  },
  {
    title: "Agents for 5,000 staff",
    hint: "The same people, whose agents call the model many times a task",
    state: {
      ...defaultState,
      model: "qwen3-235b-a22b-fp8",
      load: "headCount",
      amount: 5000,
      profile: "agents",
      gpus: ["H100-80GB"],
    },
  },
  {
    title: "8B trial, 10 users",
    hint: "The smallest start: one node, nothing in reserve",
    state: { ...defaultState, model: "llama-3.1-8b", amount: 10, trial: true },
  },
];

/** Whether the inputs are those of the case, whatever of its answer is looked at. */
export function isPreset(preset: Preset, state: PlannerState): boolean {
  return writeState({ ...state, ...defaultView }).toString() === writeState(preset.state).toString();
}
