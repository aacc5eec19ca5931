import { clockOf } from "./service-clock.ts";

type AnswerHeaders = { get(name: string): string | null };
/** What is left of one of a service's limits, and when it is full again; null for what the answer does not tell. */
type Budget = { remaining: number | null; resetMs: number | null };

/** A longer wait is asked about again after a day, whoever told it: a limit may have been raised, or was a mistake. */
export const maxToldMs = 24 * 60 * 60_000;
/** No budget is a service's for longer than a month: what resets later is a mistake, and says nothing. */
const maxResetMs = 31 * maxToldMs;
/** Numbers from here on are points in time: as seconds from now they were thirty years. */
const firstEpochSeconds = 1e9;
/** As seconds these were in the year 5138. */
const firstEpochMs = 1e11;

/**
 * The draft's own (draft-ietf-httpapi-ratelimit-headers, up to its sixth version), the older names that most services and
 * Atlassian use, and how Okta and Zendesk spell them.
 */
const prefixes = ["ratelimit", "x-ratelimit", "x-rate-limit"];

/**
 * How long a service wants to be left alone because a budget of its is spent; null while there is some left, or it does not
 * say until when. Of several budgets the longest wait counts.
 * @param isRefusal for an answer that refuses for its load: a reset alone then tells the wait. One that tells what is left
 *   is refused for another reason than that budget (GitHub's secondary limits), and for how long is not known
 */
export function spentBudgetMs(headers: AnswerHeaders, nowMs: number, isRefusal = false): number | null {
  const spent = budgetsOf(headers, nowMs).filter(
    ({ remaining }) => remaining === 0 || (isRefusal && remaining === null),
  );
  const waits = spent.flatMap(({ resetMs }) => resetMs ?? []);
  return waits.length === 0 ? null : Math.min(Math.max(...waits), maxToldMs);
}

function budgetsOf(headers: AnswerHeaders, nowMs: number): Budget[] {
  const theirNowMs = clockOf(headers, nowMs);
  const named = prefixes.map((prefix) => ({
    remaining: countOf(headers.get(`${prefix}-remaining`)),
    resetMs: resetOf(headers.get(`${prefix}-reset`), theirNowMs),
  }));
  return [...named, ...listedBudgets(headers.get("ratelimit"), theirNowMs)];
}

/** `"default";r=0;t=30, "daily";r=900;t=7200` of the draft's later versions, or `limit=10, remaining=0, reset=30` of its seventh. */
function listedBudgets(value: string | null, theirNowMs: number): Budget[] {
  if (value === null) return [];
  const isOneBudget = /\bremaining\s*=/.test(value);
  return (isOneBudget ? [value] : value.split(",")).map((budget) => ({
    remaining: countOf(parameterOf(budget, ["r", "remaining"])),
    resetMs: resetOf(parameterOf(budget, ["t", "reset"]), theirNowMs),
  }));
}

function parameterOf(budget: string, names: readonly string[]): string | null {
  const parameters = budget.split(/[;,]/).map((parameter) => parameter.split("="));
  return parameters.find(([name]) => names.includes(name!.trim()))?.[1] ?? null;
}

function countOf(value: string | null): number | null {
  return value !== null && /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : null;
}

/** Seconds from now, a point in time in seconds or milliseconds since 1970, or a date (Atlassian); null for what is over or nonsense. */
function resetOf(value: string | null, theirNowMs: number): number | null {
  const number = countOf(value);
  const isDate = value !== null && /^\d{4}-\d\d-\d\dT/.test(value.trim());
  let waitMs = Number.NaN;
  if (number === null) waitMs = isDate ? Date.parse(value) - theirNowMs : waitMs;
  else if (number >= firstEpochMs) waitMs = number - theirNowMs;
  else if (number >= firstEpochSeconds) waitMs = number * 1000 - theirNowMs;
  else waitMs = number * 1000;
  return waitMs > 0 && waitMs <= maxResetMs ? waitMs : null;
}
