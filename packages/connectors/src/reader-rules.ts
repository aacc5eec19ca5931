import { isDeepStrictEqual } from "node:util";
import type { SourceFacts } from "./connector.ts";

/**
 * The settings that say who reads documents which bring their own readers, by what the refs of these begin with: "" of all.
 * What begins with none of them has the source's audience.
 */
export type ReaderRules = ReadonlyMap<string, unknown>;

/** @param config settings of the kind, where `facts` look at them */
export function readerRulesOf(facts: SourceFacts, config: object): ReaderRules {
  return facts.readerRules?.(config) ?? rulesForAll(facts.capabilities.permissions || null);
}

/** @param rule null: documents bring no readers */
export function rulesForAll(rule: unknown): ReaderRules {
  return new Map(rule === null ? [] : [["", rule]]);
}

/** Whether what has this ref brings its own readers. */
export function bringsReadersAt(rules: ReaderRules, ref: string): boolean {
  return [...rules.keys()].some((part) => ref.startsWith(part));
}

/**
 * What the refs of documents begin with for which other settings say now who reads them. Where none brought readers before,
 * it is all: only with a document that is read again does a source say whether it has any.
 */
export function partsWithOtherRules(rules: ReaderRules, before: ReaderRules): string[] {
  if (before.size === 0 && rules.size > 0) return [""];
  const parts = new Set([...rules.keys(), ...before.keys()]);
  return [...parts].filter((part) => !isDeepStrictEqual(rules.get(part), before.get(part)));
}
