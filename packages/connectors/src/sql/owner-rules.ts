import type { ReaderRules } from "../reader-rules.ts";
import { refPrefix } from "./ref-prefix.ts";

/** `sql` is a query's, whose columns are what it makes of them. */
type OwnedRelation = { name: string; owner: string | null; sql?: string };

/**
 * What says who owns the rows of tables, queries or collections.
 * @param namesOf under which names a relation's documents may be found; one name may be that of two relations
 */
export function ownerRules(relations: readonly OwnedRelation[], namesOf: (name: string) => string[]): ReaderRules {
  const rules = new Map<string, string[]>();
  for (const { name, owner, sql = "" } of relations) {
    if (owner === null) continue;
    for (const part of new Set(namesOf(name).map(refPrefix))) {
      rules.set(part, [...(rules.get(part) ?? []), JSON.stringify([owner, sql])].sort());
    }
  }
  return rules;
}
