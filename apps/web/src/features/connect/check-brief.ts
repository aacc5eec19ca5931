import { worstStatus } from "@anneal/core/connect/capability-check";
import type { SourceCheck } from "#features/connect/use-source-check.ts";
import { formatCount } from "#lib/format.ts";

export type CheckBrief = { state: "trying" | "ok" | "limited" | "failed" | "held"; text: string };

/** What came of trying a source, or what holds the next try up, in one short line; null while there is nothing to tell. */
export function briefOf({
  isPending,
  error,
  data,
  waits,
}: Pick<SourceCheck, "isPending" | "error" | "data" | "waits">): CheckBrief | null {
  if (isPending) return { state: "trying", text: "Trying it …" };
  if (error) return { state: "failed", text: error.message };
  if (data) {
    const { checks } = data;
    const concerns = checks.filter(({ status }) => status !== "ok").length;
    switch (worstStatus(checks)) {
      case "ok":
        return { state: "ok", text: "It can be read." };
      case "warning":
        return { state: "limited", text: `It can be read, with ${formatCount(concerns, "limit")}.` };
      case "missing":
        return { state: "failed", text: `${formatCount(concerns, "thing")} to look at before it can be read.` };
    }
  }
  switch (waits) {
    case "incomplete":
      return { state: "held", text: "Not complete yet." };
    case "refused":
      return { state: "held", text: "Not tried again: the same sign-in was refused." };
    case "spent":
      return { state: "held", text: "Not tried: too many sign-ins failed." };
    case "moved":
      return { state: "held", text: "Not tried: the address has changed." };
    case "unchanged":
    case null:
      return null;
  }
}
