import type { Budget, TeamSpec } from "@anneal/sizing/placement/cluster-snapshot";

export type BudgetFields = { limit: string; renews: string; periodDays: string };
/** What stands in the inputs; empty means no limit. */
export type TeamFields = {
  name: string;
  nominal: string;
  borrowing: string;
  weight: string;
  own: boolean;
  gpuHours: BudgetFields;
  tokens: BudgetFields;
};
export type Problems = Partial<Record<string, string>>;

const dayMs = 86_400_000;

export const defaultPeriodDays = 30;

/** The first of the next month, in UTC: when budgets usually renew. */
function nextRenewal(now: Date): string {
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1)).toISOString().slice(0, 10);
}

export function fieldsOf(team: (TeamSpec & { own: boolean }) | null, now: Date): TeamFields {
  const budget = (unit: Budget["unit"]): BudgetFields => {
    const known = team?.budgets.find((each) => each.unit === unit);
    if (!known) return { limit: "", renews: nextRenewal(now), periodDays: String(defaultPeriodDays) };
    return {
      limit: String(known.limit),
      renews: new Date(known.renewsAtMs).toISOString().slice(0, 10),
      periodDays: String(known.periodMs / dayMs),
    };
  };
  const gpus = (milli: number | null | undefined) => (milli == null ? "" : String(milli / 1000));
  return {
    name: team?.name ?? "",
    nominal: gpus(team?.nominalGpuMilli),
    borrowing: gpus(team?.borrowingLimitGpuMilli),
    weight: String(team?.weight ?? 1),
    own: team?.own ?? false,
    gpuHours: budget("gpu-hours"),
    tokens: budget("tokens"),
  };
}

/** The team that the inputs describe, or what is wrong with which of them. */
export function readTeam(
  fields: TeamFields,
  now: Date,
): { team: TeamSpec & { own: boolean }; problems: null } | { team: null; problems: Problems } {
  const problems: Problems = {};
  const read = (field: string, text: string, least: number, right: string): number | null => {
    if (text.trim() === "") return null;
    const value = Number(text);
    if (!Number.isFinite(value) || value < least) problems[field] = right;
    return value;
  };
  const gpus = (field: string, text: string) => {
    const value = read(field, text, 0, "A number of GPUs from 0, or nothing.");
    return value === null ? null : Math.round(value * 1000);
  };
  const budget = (unit: Budget["unit"], { limit, renews, periodDays }: BudgetFields): Budget[] => {
    const most = read(`${unit}.limit`, limit, 0, "A number from 0, or nothing.");
    if (most === null) return [];
    const renewsAtMs = Date.parse(`${renews}T00:00:00Z`);
    if (!(renewsAtMs > now.getTime())) problems[`${unit}.renews`] = "A day that is still to come.";
    return [{ unit, limit: most, spent: 0, renewsAtMs, periodMs: Number(periodDays) * dayMs }];
  };
  const name = fields.name.trim();
  if (name === "") problems["name"] = "A team needs a name.";
  const weight = read("weight", fields.weight, 0.001, "A number above 0.") ?? 1;
  const nominalGpuMilli = gpus("nominal", fields.nominal);
  // Without a quota there is nothing to borrow above.
  const borrowingLimitGpuMilli = nominalGpuMilli === null ? null : gpus("borrowing", fields.borrowing);
  const budgets = [...budget("gpu-hours", fields.gpuHours), ...budget("tokens", fields.tokens)];
  if (Object.keys(problems).length > 0) return { team: null, problems };
  const team = { name, nominalGpuMilli, borrowingLimitGpuMilli, weight, budgets, own: fields.own };
  return { team, problems: null };
}
