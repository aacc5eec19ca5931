import type { PlanPrecision } from "./brief-schema.ts";

/** "1.2 s", "340 ms". */
export function seconds(ms: number): string {
  return ms >= 1000 ? `${Number((ms / 1000).toPrecision(3))} s` : `${Math.round(ms)} ms`;
}

export function gib(value: number): string {
  return `${value.toFixed(1)} GiB`;
}

/** "$2.34", "$12,345". Written out, since Intl takes longer than the plan. */
export function dollars(amount: number): string {
  if (amount < 10) return `$${amount.toFixed(2)}`;
  return `$${String(Math.round(amount)).replaceAll(/\B(?=(\d{3})+$)/g, ",")}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

export function precisionName(precision: PlanPrecision): string {
  return precision === "bf16" ? "16 bits" : precision.toUpperCase();
}
