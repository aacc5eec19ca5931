import type { Model } from "../models/model.ts";
import { readModel } from "../models/read-model.ts";
import { SizingError } from "../sizing-error.ts";
import type { Brief, Candidate } from "./brief.ts";
import type { Rejection } from "./plan-types.ts";

export type SelectedModel = {
  id: string;
  model: Model;
  config: Readonly<Record<string, unknown>>;
  /** Mean of its scores, or null where it has none. */
  quality: number | null;
  contextTokens: number;
  notes: readonly string[];
};

/**
 * The models of a brief that may be served at all: known architecture, allowed licence, languages, tools, context, quality
 * before quantisation; the best first. Of one named model, what nobody stated is a note and not a reason against it.
 * @throws SizingError as `readModel`, or INVALID_REQUEST for a context that the one named model cannot hold.
 */
export function selectModels(
  brief: Brief,
  contextTokens: number,
): { selected: SelectedModel[]; rejected: Rejection[] } {
  const selected: SelectedModel[] = [];
  const rejected: Rejection[] = [];
  for (const candidate of brief.candidates) {
    const model = readCandidate(candidate, brief.oneModel);
    if (model instanceof SizingError) {
      rejected.push({ option: { model: candidate.id }, code: "MODEL", reason: model.message, details: model.details });
      continue;
    }
    const verdict = judge(candidate, model, brief, contextTokens);
    if ("code" in verdict) rejected.push(verdict);
    else selected.push(verdict);
  }
  return { selected: selected.sort((left, right) => (right.quality ?? 0) - (left.quality ?? 0)), rejected };
}

/** As vLLM serves it: of a checkpoint in 32 bits it keeps 16. */
export function readServedModel(config: unknown): Model {
  const model = readModel(config);
  return model.dtype === "float32" ? { ...model, dtype: "bfloat16" } : model;
}

function readCandidate(candidate: Candidate, oneModel: boolean): Model | SizingError {
  try {
    return readServedModel(candidate.config);
  } catch (error) {
    if (error instanceof SizingError && !oneModel) return error;
    throw error;
  }
}

function judge(candidate: Candidate, model: Model, brief: Brief, wantedContext: number): SelectedModel | Rejection {
  const { id } = candidate;
  const notes: string[] = [...model.notes];
  const reject = (code: Rejection["code"], reason: string, details: Record<string, unknown>): Rejection => ({
    option: { model: id },
    code,
    reason,
    details,
  });
  const contextTokens = Math.min(candidate.context ?? model.maxPositions, model.maxPositions);
  if (wantedContext > contextTokens) {
    const reason = `The context of ${wantedContext} tokens is longer than the ${contextTokens} that ${id} allows.`;
    if (brief.oneModel) {
      throw new SizingError(
        "INVALID_REQUEST",
        `The field context is ${wantedContext}; ${id} allows at most ${contextTokens} tokens.`,
        {
          field: "context",
          value: wantedContext,
          allowed: contextTokens,
        },
      );
    }
    return reject("CONTEXT", reason, { wanted: wantedContext, allowed: contextTokens });
  }
  const licences = brief.sovereignty?.licences;
  if (licences && candidate.licence === undefined) {
    if (!brief.oneModel)
      return reject("LICENCE", `The licence of ${id} is not stated; ${licences.join(" or ")} is asked for.`, {
        allowed: licences,
      });
    notes.push(`Its licence was not stated: check that it is ${licences.join(" or ")}.`);
  } else if (licences && !licences.some((each) => normalise(each) === normalise(candidate.licence ?? ""))) {
    return reject("LICENCE", `The licence of ${id} is ${candidate.licence}; ${licences.join(" or ")} is asked for.`, {
      licence: candidate.licence,
      allowed: licences,
    });
  }
  for (const wanted of brief.languages ?? []) {
    const match = matchLanguage(wanted, candidate.languages);
    if (match === "none" || (match === "unknown" && !brief.oneModel)) {
      const known = candidate.languages?.join(", ") ?? "not stated";
      return reject("LANGUAGE", `${id} does not cover the language ${wanted}; its languages: ${known}.`, {
        wanted,
        languages: candidate.languages,
      });
    }
    if (match !== "exact") notes.push(`Whether it is good at ${wanted} is not stated: test it on your own texts.`);
  }
  if (brief.toolUse && candidate.toolUse !== true) {
    if (candidate.toolUse === false || !brief.oneModel) {
      return reject(
        "TOOLS",
        `${id} ${candidate.toolUse === false ? "does not call tools" : "is not stated to call tools"}, and the brief asks for it.`,
        {},
      );
    }
    notes.push("Whether it calls tools reliably is not stated: test it.");
  }
  const quality = meanQuality(candidate.quality);
  const floor = brief.qualityFloor;
  if (quality !== null && floor !== undefined && quality < floor) {
    return reject("QUALITY", `${id} scores ${quality}, below the floor of ${floor}.`, { quality, floor });
  }
  if (quality === null && floor !== undefined && floor > 1) {
    return reject(
      "QUALITY",
      `${id} has no quality score to hold against the floor of ${floor}: state its field quality.`,
      { floor },
    );
  }
  return { id, model, config: candidate.config, quality, contextTokens, notes };
}

function meanQuality(quality: Candidate["quality"]): number | null {
  if (quality === undefined || typeof quality === "number") return quality ?? null;
  const scores = Object.values(quality);
  return scores.length === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** "ar-AE" is covered by a model that lists it, and perhaps by one that lists "ar": dialects differ in how well they are spoken. */
function matchLanguage(
  wanted: string,
  languages: readonly string[] | undefined,
): "exact" | "base" | "none" | "unknown" {
  if (languages === undefined) return "unknown";
  const known = languages.map((each) => each.toLowerCase());
  if (known.includes(wanted.toLowerCase())) return "exact";
  return known.includes(wanted.toLowerCase().split(/[-_]/)[0] ?? "") ? "base" : "none";
}

/** "Apache 2.0", "apache-2.0" and "Apache-2.0" are one licence. */
function normalise(licence: string): string {
  return licence.toLowerCase().replace(/licen[cs]e|[^a-z0-9]/g, "");
}
