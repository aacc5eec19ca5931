import { gpuCatalogue } from "@anneal/sizing/gpus/catalogue";
import { planPrecisions, type PlanPrecision } from "@anneal/sizing/plan/brief-schema";
import { workloadProfiles, type ProfileName } from "@anneal/sizing/plan/workload-profile";
import { openModels } from "#features/planner/open-models.ts";

/** How the load is known: each is a field of the brief. */
export const loadKinds = ["peakUsers", "headCount", "requestsInFlight", "documentsPerHour"] as const;
export type LoadKind = (typeof loadKinds)[number];

/** Of the model in the link's hash. */
export const pastedModel = "pasted";

/** What stands in the inputs. Null is left to the profile or to the planner. */
export type PlannerState = {
  model: string;
  load: LoadKind;
  amount: number;
  profile: ProfileName;
  context: number | null;
  inputTokens: number | null;
  outputTokens: number | null;
  precision: PlanPrecision | null;
  kvCacheDtype: "auto" | "fp8" | null;
  ttftMs: number | null;
  tokensPerSecond: number | null;
  trial: boolean;
  onPremises: boolean;
  vendor: "nvidia" | "amd" | null;
  /** GPUs to choose from; all of the catalogue where it is empty. */
  gpus: readonly string[];
  existing: readonly { gpu: string; count: number }[];
  existingOnly: boolean;
} & PlannerView;

/** What of the answer is looked at. */
export type PlannerView = {
  /** Whose speed is drawn; the explained plan's without one. */
  shownGpu: string | null;
  /** Rank of the plan that is explained. */
  shownPlan: number;
  /** Every plan in a table, and by which column; by rank without one. */
  allPlans: boolean;
  sort: string | null;
};

export const defaultView: PlannerView = { shownGpu: null, shownPlan: 1, allPlans: false, sort: null };

export const defaultState: PlannerState = {
  model: "llama-3.3-70b",
  load: "peakUsers",
  amount: 40,
  profile: "chat",
  context: null,
  inputTokens: null,
  outputTokens: null,
  precision: null,
  kvCacheDtype: null,
  ttftMs: null,
  tokensPerSecond: null,
  trial: false,
  onPremises: false,
  vendor: null,
  gpus: [],
  existing: [],
  existingOnly: false,
  ...defaultView,
};

const loadParams: Record<LoadKind, string> = {
  peakUsers: "users",
  headCount: "staff",
  requestsInFlight: "inflight",
  documentsPerHour: "documents",
};
const profileNames = Object.keys(workloadProfiles) as ProfileName[];
const gpuIds = gpuCatalogue.map(({ id }) => id);

type Params = { get(name: string): string | null };

/** What a link says; what it says wrongly is as if it were not there. */
export function readState(params: Params): PlannerState {
  const one = <Value extends string>(name: string, known: readonly Value[]): Value | null =>
    known.find((each) => each === params.get(name)) ?? null;
  const amountOf = (name: string): number | null => {
    const text = params.get(name);
    const value = Number(text);
    return text !== null && text !== "" && Number.isFinite(value) && value > 0 ? value : null;
  };
  const list = (name: string) => (params.get(name) ?? "").split(",").filter((each) => each !== "");
  const load = loadKinds.find((kind) => amountOf(loadParams[kind]) !== null) ?? defaultState.load;
  return {
    model: one("model", [...openModels.map(({ id }) => id), pastedModel]) ?? defaultState.model,
    load,
    amount: amountOf(loadParams[load]) ?? defaultState.amount,
    profile: one("profile", profileNames) ?? defaultState.profile,
    context: amountOf("context"),
    inputTokens: amountOf("in"),
    outputTokens: amountOf("out"),
    precision: one("precision", planPrecisions),
    kvCacheDtype: one("kv", ["auto", "fp8"]),
    ttftMs: amountOf("ttft"),
    tokensPerSecond: amountOf("speed"),
    trial: params.get("trial") === "1",
    onPremises: params.get("onprem") === "1",
    vendor: one("vendor", ["nvidia", "amd"]),
    gpus: list("gpus").filter((id) => gpuIds.includes(id)),
    existing: list("have").flatMap((each) => {
      const [gpu = "", count] = each.split(":");
      const known = gpuIds.includes(gpu) && Number.isInteger(Number(count)) && Number(count) > 0;
      return known ? [{ gpu, count: Number(count) }] : [];
    }),
    existingOnly: params.get("only") === "1",
    shownGpu: one("show", gpuIds),
    shownPlan: amountOf("plan") ?? defaultView.shownPlan,
    allPlans: params.get("all") === "1",
    sort: /^-?[a-z]+$/.exec(params.get("sort") ?? "")?.[0] ?? null,
  };
}

/** The query of a link that says the same; what is as it is without a link is left out. */
export function writeState(state: PlannerState): URLSearchParams {
  const params = new URLSearchParams();
  const set = (name: string, value: string | number | null, without: string | number | null = null) => {
    if (value !== null && value !== "" && value !== without) params.set(name, String(value));
  };
  set("model", state.model, defaultState.model);
  const isDefaultLoad = state.load === defaultState.load && state.amount === defaultState.amount;
  if (!isDefaultLoad) set(loadParams[state.load], state.amount);
  set("profile", state.profile, defaultState.profile);
  set("context", state.context);
  set("in", state.inputTokens);
  set("out", state.outputTokens);
  set("precision", state.precision);
  set("kv", state.kvCacheDtype);
  set("ttft", state.ttftMs);
  set("speed", state.tokensPerSecond);
  set("trial", state.trial ? 1 : null);
  set("onprem", state.onPremises ? 1 : null);
  set("vendor", state.vendor);
  set("gpus", state.gpus.join(","));
  set("have", state.existing.map(({ gpu, count }) => `${gpu}:${count}`).join(","));
  set("only", state.existingOnly ? 1 : null);
  set("show", state.shownGpu);
  set("plan", state.shownPlan, defaultView.shownPlan);
  set("all", state.allPlans ? 1 : null);
  set("sort", state.sort);
  return params;
}

export type NamedModel = { id?: string; licence?: string; config: Record<string, unknown> };

/** The brief as `{ op: "plan" }` takes it: what was not stated is left out, so that the answer says how it was taken. */
export function toBrief(state: PlannerState, model: NamedModel): Record<string, unknown> {
  const { existing, existingOnly, onPremises, vendor, gpus, ttftMs, tokensPerSecond } = state;
  const slos = stated({ ttftMs, tokensPerSecondPerUser: tokensPerSecond });
  const sovereignty = stated({ onPremises: onPremises || null, vendors: vendor === null ? null : [vendor] });
  return stated({
    model,
    [state.load]: state.amount,
    profile: state.profile,
    context: state.context,
    inputTokens: state.inputTokens,
    outputTokens: state.outputTokens,
    precisions: state.precision === null ? null : [state.precision],
    kvCacheDtype: state.kvCacheDtype,
    slos: orNull(slos),
    production: !state.trial,
    sovereignty: orNull(sovereignty),
    gpus: gpus.length === 0 || existingOnly ? null : gpus,
    existingGpus: existing.length === 0 ? null : existing,
    existingOnly: existingOnly && existing.length > 0 ? true : null,
  });
}

function stated(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function orNull(fields: Record<string, unknown>): Record<string, unknown> | null {
  return Object.keys(fields).length === 0 ? null : fields;
}
