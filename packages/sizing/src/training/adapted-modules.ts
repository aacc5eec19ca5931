import type { Model, Tensor } from "../models/model.ts";
import { SizingError } from "../sizing-error.ts";

/** What LoRA adapts: the matrices W [out, in] that get B [out, rank] and A [rank, in] beside them (Hu et al. 2021). */
export type AdaptedModules = { rank: number; modules: ReadonlySet<string>; all: boolean };

/** A matrix that multiplies: not an embedding, nor the vector of a norm. */
export function isLinear(tensor: Tensor): boolean {
  return tensor.in > 1 && tensor.role !== "embedding" && tensor.role !== "norm";
}

/**
 * @param targets Names of modules as PEFT takes them ("q_proj", "self_attn.q_proj"), one text with commas, or
 * "all-linear": every linear layer but the output head (PEFT, `_maybe_include_all_linear_layers`).
 * @throws SizingError INVALID_REQUEST with the names that this model has.
 */
export function selectAdaptedModules(model: Model, targets: string | readonly string[], rank: number): AdaptedModules {
  const linear = model.groups.flatMap((group) => group.tensors.filter(isLinear));
  const known = new Set(linear.map((tensor) => tensor.module));
  const names = typeof targets === "string" ? targets.split(/[\s,]+/).filter((name) => name !== "") : targets;
  if (names.length === 1 && names[0]?.toLowerCase() === "all-linear") return { rank, modules: known, all: true };
  const outer = new Set(model.outer.filter((tensor) => tensor.in > 1).map((tensor) => tensor.module));
  const modules = names.map((name) => name.split(".").at(-1) ?? name);
  const unknown = modules.filter((name) => !known.has(name) && !outer.has(name));
  if (unknown.length > 0 || modules.length === 0) {
    throw new SizingError(
      "INVALID_REQUEST",
      `The field loraTargets names ${unknown.length > 0 ? unknown.join(", ") : "no module"}; this model has ` +
        `${[...known].join(", ")}. Use these names, or "all-linear".`,
      { field: "loraTargets", value: targets, unknown, known: [...known] },
    );
  }
  return { rank, modules: new Set(modules), all: false };
}

export function isAdapted(adapted: AdaptedModules, tensor: Tensor): boolean {
  if (!adapted.modules.has(tensor.module)) return false;
  // Named on purpose, an embedding or the head is adapted as well.
  return isLinear(tensor) || (tensor.role === "embedding" && !adapted.all);
}

/** rank x (in + out) for each adapted matrix; DoRA adds a magnitude for each output (Liu et al. 2024). */
export function countAdapterParameters(model: Model, adapted: AdaptedModules, options: { dora: boolean }): number {
  const count = (tensors: readonly Tensor[]) =>
    tensors
      .filter((tensor) => isAdapted(adapted, tensor))
      .reduce((sum, { copies, ...tensor }) => sum + copies * sizeOf(tensor, adapted.rank, options.dora), 0);
  const layers = model.groups.reduce((sum, group) => sum + group.count * count(group.tensors), 0);
  return layers + (adapted.all ? 0 : count(model.outer));
}

function sizeOf(matrix: { in: number; out: number }, rank: number, dora: boolean): number {
  return rank * (matrix.in + matrix.out) + (dora ? matrix.out : 0);
}

/** Elements of the largest adapted matrix. */
export function sizeLargestAdapted(model: Model, adapted: AdaptedModules): number {
  const tensors = [...model.groups.flatMap((group) => group.tensors), ...(adapted.all ? [] : model.outer)];
  return Math.max(0, ...tensors.filter((each) => isAdapted(adapted, each)).map((each) => each.in * each.out));
}
