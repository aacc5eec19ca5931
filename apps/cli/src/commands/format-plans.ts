import type { PlanAnswer } from "@anneal/sizing/plan/plan";
import type { Plan, Rejection } from "@anneal/sizing/plan/plan-types";

const shownPlans = 8;
const shownRejections = 12;

/** Plans side by side, the reasons for the first one, and why other options were left out; plain text. */
export function formatPlans({ plans, rejected, workloads, assumed }: PlanAnswer, width: number): string {
  const [best] = plans;
  const load = workloads.flatMap(({ name, reasons }) => [
    ...(workloads.length > 1 ? [`${name}:`] : []),
    ...reasons.map((reason) => `  ${reason}`),
  ]);
  const blocks = [
    ["The load", ...load],
    ...(assumed.length > 0 ? [["Taken for granted", ...assumed.map((assumption) => `  ${assumption}`)]] : []),
    best ? ["Plans", ...formatTable(plans.slice(0, shownPlans))] : ["No plan meets all limits. What decided is below."],
    ...(best ? [[`Why the first one: ${best.title}`, ...explain(best)]] : []),
    ...(rejected.length > 0 ? [[`Left out (${rejected.length})`, ...formatRejections(rejected)]] : []),
  ];
  return `${blocks.map((lines) => lines.flatMap((line) => wrap(line, width)).join("\n")).join("\n\n")}\n`;
}

function formatTable(plans: readonly Plan[]): string[] {
  const rows = plans.map((plan) => [
    `${plan.rank}`,
    `${plan.gpusTotal} x ${plan.gpu}`,
    `${plan.precision}${plan.kvCacheDtype === "fp8" ? " (fp8 cache)" : ""}`,
    `TP${plan.tensorParallel}${plan.pipelineParallel > 1 ? ` PP${plan.pipelineParallel}` : ""}${plan.expertParallel > 1 ? " EP" : ""}`,
    `${plan.replicas} on ${plan.nodes}`,
    plan.memoryPerGpu.kvFreeGib.toFixed(1),
    plan.ttftMs >= 1000 ? `${(plan.ttftMs / 1000).toFixed(1)} s` : `${Math.round(plan.ttftMs)} ms`,
    plan.tokensPerSecondPerUser.toFixed(0),
    `${plan.saturation.requestsInFlight}`,
    plan.costPerMillionTokens.toFixed(2),
    `${(plan.wattsTotal / 1000).toFixed(1)}`,
    Math.round(plan.monthlyCost).toLocaleString("en-US"),
    plan.capex > 0 ? Math.round(plan.capex).toLocaleString("en-US") : "-",
  ]);
  const head = [
    "",
    "GPUs",
    "weights",
    "split",
    "replicas",
    "GiB free",
    "TTFT",
    "tok/s",
    "full at",
    "$/M tok",
    "kW",
    "$/month",
    "capex $",
  ];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  return [line(head), ...rows.map(line)];
}

function explain(plan: Plan): string[] {
  const options = plan.options.filter(({ worthIt }) => worthIt).map(({ reason }) => `  Worth weighing: ${reason}`);
  return [...plan.reasons.map((reason) => `  ${reason}`), ...options, ...plan.notes.map((note) => `  Note: ${note}`)];
}

/** Each kind of reason is shown before a kind is shown twice. */
function formatRejections(rejected: readonly Rejection[]): string[] {
  const turns = new Map<string, number>();
  const ordered = rejected
    .map((rejection) => {
      const turn = turns.get(rejection.code) ?? 0;
      turns.set(rejection.code, turn + 1);
      return { rejection, turn };
    })
    .sort((left, right) => left.turn - right.turn)
    .slice(0, shownRejections);
  const lines = ordered.map(({ rejection: { option, reason } }) => {
    const { model, gpu, precision, tensorParallel } = option;
    const name = [gpu, precision, tensorParallel === undefined ? undefined : `TP${tensorParallel}`].filter(
      (part) => part !== undefined,
    );
    return `  ${name.length > 0 ? name.join(" ") : (model ?? "")}: ${reason}`;
  });
  return rejected.length > shownRejections
    ? [...lines, `  … and ${rejected.length - shownRejections} more: --json shows all.`]
    : lines;
}

/** Tables stay as they are; sentences break at words, continued under their beginning. */
function wrap(line: string, width: number): string[] {
  if (line.length <= width || /\S {2}/.test(line)) return [line];
  const indent = /^ */.exec(line)?.[0] ?? "";
  const lines: string[] = [];
  let current = indent;
  for (const word of line.trim().split(" ")) {
    const next = current.trim() === "" ? `${current}${word}` : `${current} ${word}`;
    if (next.length <= width || current.trim() === "") current = next;
    else {
      lines.push(current);
      current = `${indent}  ${word}`;
    }
  }
  return [...lines, current];
}
