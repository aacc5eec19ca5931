import type { z } from "zod";
import { SizingError } from "../sizing-error.ts";
import { readAliases } from "./brief-aliases.ts";
import { briefSchema, candidateSchema, type workloadSchema, workloadShape } from "./brief-schema.ts";

export type Candidate = z.infer<typeof candidateSchema> & { id: string };
export type WorkloadBrief = Omit<z.infer<typeof workloadSchema>, "model"> & {
  /** Its own model; that of the brief without one. */
  candidates?: readonly Candidate[];
};
export type Brief = Omit<
  z.infer<typeof briefSchema>,
  keyof typeof workloadShape | "model" | "shortlist" | "workloads"
> & {
  candidates: readonly Candidate[];
  /** One model was named, and not a list to choose from: what nobody said about it is not held against it. */
  oneModel: boolean;
  workloads: readonly WorkloadBrief[];
};

/**
 * Reads a brief and says what contradicts itself in it.
 * @throws SizingError INVALID_REQUEST that names the first field that is wrong, its value and what would be right.
 */
export function readBrief(input: unknown): Brief {
  const named = readAliases(input);
  const parsed = briefSchema.safeParse(named);
  if (!parsed.success) throw describeIssue(parsed.error.issues[0], named);
  const { model, shortlist, workloads, ...rest } = parsed.data;
  const workloadKeys = Object.keys(workloadShape) as (keyof typeof workloadShape)[];
  const stated = workloadKeys.filter((key) => parsed.data[key] !== undefined);
  if (workloads !== undefined && stated.length > 0) {
    throw wrong(
      stated[0] ?? "workloads",
      parsed.data[stated[0] ?? "name"],
      "inside one of the workloads, since the brief lists them",
    );
  }
  const one = Object.fromEntries(stated.map((key) => [key, parsed.data[key]])) as WorkloadBrief;
  const brief: Brief = {
    ...Object.fromEntries(Object.entries(rest).filter(([key]) => !(key in workloadShape))),
    candidates: readCandidates(model, shortlist, workloads?.every((workload) => workload.model) ?? false),
    oneModel: shortlist === undefined,
    workloads: workloads?.map(readWorkload) ?? [one],
  };
  const names = brief.workloads.map(({ name, profile }) => name ?? profile);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong("workloads", twice, "told apart by name: two are called so");
  brief.workloads.forEach((workload, index) => assertLoad(workload, workloads ? `workloads.${index}.` : ""));
  assertConsistent(brief);
  return brief;
}

function readWorkload({ model, ...workload }: z.infer<typeof workloadSchema>): WorkloadBrief {
  return model === undefined ? workload : { ...workload, candidates: [readCandidate(model)] };
}

function readCandidates(
  model: Record<string, unknown> | undefined,
  shortlist: z.infer<typeof candidateSchema>[] | undefined,
  everyWorkloadHasOne: boolean,
): Candidate[] {
  if (everyWorkloadHasOne && model === undefined && shortlist === undefined) return [];
  if ((model === undefined) === (shortlist === undefined)) {
    throw new SizingError("INVALID_REQUEST", "A brief needs either the field model or the field shortlist.", {
      field: "model",
    });
  }
  if (shortlist !== undefined) {
    const named = shortlist.map((each, index) => ({
      ...each,
      id: each.id ?? nameOf(each.config, `model ${index + 1}`),
    }));
    const twice = named.find(({ id }, index) => named.findIndex((other) => other.id === id) !== index);
    if (twice) throw wrong("shortlist", twice.id, "different models: this id stands twice in it");
    return named;
  }
  return [readCandidate(model ?? {})];
}

/** A config.json, or a candidate that carries one. */
function readCandidate(model: Record<string, unknown>): Candidate {
  if (model["config"] === undefined) return { id: nameOf(model, "model"), config: model };
  const parsed = candidateSchema.safeParse(model);
  if (!parsed.success) throw describeIssue(parsed.error.issues[0], model, "model");
  return { ...parsed.data, id: parsed.data.id ?? nameOf(parsed.data.config, "model") };
}

function nameOf(config: Record<string, unknown>, fallback: string): string {
  const name = config["_name_or_path"] ?? config["model_type"];
  return typeof name === "string" && name !== "" ? name : fallback;
}

const loads = ["headCount", "peakUsers", "requestsInFlight", "documentsPerHour"] as const;

function assertLoad(workload: WorkloadBrief, path: string): void {
  const given = loads.filter((load) => workload[load] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? "none of them" : given.join(" and ");
    throw new SizingError(
      "INVALID_REQUEST",
      `A workload needs exactly one of the fields ${loads.join(", ")}; ${path === "" ? "the brief" : path.slice(0, -1)} has ${found}.`,
      { field: `${path}${given[1] ?? "headCount"}`, given },
    );
  }
  const { context, inputTokens = 0, outputTokens = 0 } = workload;
  if (context !== undefined && inputTokens + outputTokens > context) {
    throw wrong(
      `${path}context`,
      context,
      `at least inputTokens + outputTokens, ${inputTokens} + ${outputTokens} = ${inputTokens + outputTokens}`,
    );
  }
}

function assertConsistent(brief: Brief): void {
  const { sovereignty, purchase, existingOnly, existingGpus, budget, production } = brief;
  if (sovereignty?.onPremises && purchase === "rent") {
    throw wrong("purchase", purchase, '"buy", since sovereignty.onPremises rules out rented machines');
  }
  if (existingOnly && existingGpus === undefined) {
    throw wrong("existingOnly", true, "false, or existingGpus must say which ones there are");
  }
  if (existingOnly && brief.gpus !== undefined) {
    throw wrong("gpus", brief.gpus.length, "left out: existingOnly rules out any other GPU");
  }
  if (budget?.capex !== undefined && purchase === "rent") {
    throw wrong("budget.capex", budget.capex, 'left out, since purchase is "rent" and nothing is bought');
  }
  if (brief.dailyLoad && Math.max(...brief.dailyLoad) < 1) {
    throw wrong("dailyLoad", brief.dailyLoad, "shares of the peak, 1 in at least one hour of the day");
  }
  const only = existingOnly && existingGpus?.length === 1 ? existingGpus[0] : undefined;
  if (only && only.count < 2 && production !== false) {
    throw wrong(
      "existingGpus.0.count",
      only.count,
      "2 or more: production runs on two nodes. Set production to false for a trial",
    );
  }
}

function wrong(field: string, value: unknown, right: string): SizingError {
  return new SizingError("INVALID_REQUEST", `The field ${field} is ${JSON.stringify(value)}; it must be ${right}.`, {
    field,
    value,
  });
}

/** One sentence: the field, its value, what would be right. */
function describeIssue(issue: z.core.$ZodIssue | undefined, input: unknown, root = "brief"): SizingError {
  const path = issue?.path ?? [];
  const field = path.length === 0 ? root : path.join(".");
  if (issue?.code === "unrecognized_keys") {
    const [key] = issue.keys;
    const known =
      path[0] === "workloads"
        ? Object.keys(workloadShape)
        : path.length === 0 && root === "brief"
          ? Object.keys(briefSchema.shape)
          : null;
    return new SizingError(
      "INVALID_REQUEST",
      `The field ${[...path, key].join(".")} is not known${known ? `. Known: ${known.join(", ")}` : ""}.`,
      { field: [...path, key].join("."), ...(known ? { known } : {}) },
    );
  }
  const value = path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );
  const shown = value === undefined ? "missing" : (JSON.stringify(value)?.slice(0, 80) ?? String(value));
  return new SizingError("INVALID_REQUEST", `The field ${field} is ${shown}: ${issue?.message ?? "it is wrong"}.`, {
    field,
    value,
  });
}
