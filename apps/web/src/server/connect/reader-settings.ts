import { isDeepStrictEqual } from "node:util";
import {
  bringsReadersAt,
  partsWithOtherRules,
  readerRulesOf,
  rulesForAll,
  type ReaderRules,
} from "@anneal/connectors/reader-rules";
import { requireSourceKind, sourceKinds } from "#server/connect/source-kinds.ts";

// What a source's settings say about who reads its documents, and what of that other settings change.

/** Whether documents, or some of them, bring their own readers with these settings. */
export function bringsReaders(kind: string, config: Record<string, unknown>): boolean {
  return rulesOf(kind, config).size > 0;
}

/** Whether there may be documents that bring no readers with these settings, who are then the source's audience. */
export function mayLackReaders(kind: string, config: Record<string, unknown>): boolean {
  return !bringsReadersAt(rulesOf(kind, config), "");
}

/**
 * What the refs of documents begin with for which other settings say now who reads them, "" of all documents: also where
 * somebody's word is taken back, for no ref tells who read by it.
 */
export function partsWithOtherReaders(
  kind: string,
  config: Record<string, unknown>,
  before: Record<string, unknown>,
): string[] {
  if (readsByWord(kind, before) && !readsByWord(kind, config)) return [""];
  return partsWithOtherRules(rulesOf(kind, config), rulesOf(kind, before));
}

/** Whether other settings say now who people are and what groups they are in, where documents may refuse somebody. */
export function hasOtherPeople(
  kind: string,
  config: Record<string, unknown>,
  before: Record<string, unknown>,
): boolean {
  const { facts, configSchema } = requireSourceKind(kind);
  const ruleOf = (settings: Record<string, unknown>) => {
    const { data } = configSchema.safeParse(settings);
    // What those of another release say nobody knows here.
    return data === undefined ? "unknown" : facts.peopleRule?.(data);
  };
  return facts.peopleRule !== undefined && !isDeepStrictEqual(ruleOf(config), ruleOf(before));
}

function readsByWord(kind: string, config: Record<string, unknown>): boolean {
  const found = sourceKinds[kind];
  if (found?.facts.readersByWord === undefined) return false;
  const { data } = found.configSchema.safeParse(config);
  // What those of another release say nobody knows here.
  return data === undefined || found.facts.readersByWord(data);
}

function rulesOf(kind: string, config: Record<string, unknown>): ReaderRules {
  const found = sourceKinds[kind];
  const settings = found?.facts.readerRules ? found.configSchema.safeParse(config).data : config;
  // What those of another release say nobody knows here.
  return found && settings ? readerRulesOf(found.facts, settings) : rulesForAll("unknown");
}
