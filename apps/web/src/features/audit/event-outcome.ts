import type { StatusKind } from "#components/ui/status.tsx";

type Told = {
  allowed: boolean;
  details: Record<string, unknown>;
  /** Told by a later event; null when none took it back. */
  outcome: { outcome: "refused" | "failed"; code: string } | null;
};

/** How an event ended: it is recorded before it is done, and whatever kept it from being done is recorded after it. */
export function outcomeOf({ allowed, details, outcome }: Told): { kind: StatusKind; word: string } {
  if (outcome)
    return { kind: "failed", word: `${outcome.outcome === "refused" ? "Refused" : "Failed"}: ${outcome.code}` };
  if (allowed) return { kind: "ready", word: "Done" };
  return { kind: "failed", word: typeof details["code"] === "string" ? `Refused: ${details["code"]}` : "Refused" };
}
