import type { AccessExplanation } from "@anneal/core/access/explain-access";
import { describePrincipal } from "#lib/principal-words.ts";

/**
 * "through Finance, which holds Clerks, as Ann Lee, inherited from /Reports": the way from what decides to the account.
 * Of who is kept out by a folder alone, the way that would lead there.
 */
export function explainReader(
  { readable, by, path, inheritedFrom, closedBy }: AccessExplanation,
  person: "them" | "you" = "them",
): string {
  if (by === null) return `Nothing admits ${person}.`;
  const verb = closedBy !== null ? "Would be admitted" : readable ? "Admitted" : "Denied";
  const account = path.at(-1);
  const groups = path.slice(0, -1);
  const origin =
    closedBy !== null
      ? `, but ${closedBy} does not let that through`
      : inheritedFrom === null
        ? ""
        : `, inherited from ${inheritedFrom}`;
  if (account === undefined && by.kind === "user") return `${verb} by name${origin}.`;
  if (account === undefined) return `${verb} as ${describePrincipal(by).toLowerCase()}${origin}.`;
  if (groups.length === 0) return `${verb} by name, as ${account}${origin}.`;
  return `${verb} through ${groups.join(", which holds ")}, as ${account}${origin}.`;
}

/** To whom it is about: "You may not: denied through Finance, as Ann Lee." */
export function explainRefusal(refusal: AccessExplanation): string {
  const reason = explainReader(refusal, "you");
  return `You may not: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}`;
}
