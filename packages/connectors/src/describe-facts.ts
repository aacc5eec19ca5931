import type { ChangeModel, CheckResult, SourceFacts } from "./connector.ts";
import { readerRulesOf } from "./reader-rules.ts";

const changes: Record<ChangeModel, string> = {
  delta:
    "The source tells what has changed since the last sync: a sync costs little however much there is, and may run often.",
  "delta-and-listing":
    "A sync asks what has changed; now and then everything is listed besides, which takes longer and finds what was left out.",
  "change-cursor":
    "The source keeps a list of its changes, which each sync reads on from where the last one ended: it costs little however much there is, and may run often.",
  fingerprint:
    "A sync lists everything and fetches only what has changed: its cost grows with the number of documents, not with their size.",
  watermark:
    "A sync reads only what is newer than what was read before, where the source tells that; what is gone is found by listing all there is, each time or now and then.",
  conditional:
    "A sync asks for each known document whether it has changed: its cost grows with the number of documents, not with their size.",
};

/**
 * For people who choose a source: how fresh and how costly a sync is, and what it knows beside the content.
 * @param config of a source of theirs: what it tells with these settings
 */
export function describeFacts(facts: SourceFacts, config?: object): string[] {
  const { changeModel, capabilities, uncounted } = facts;
  const { deletions, moves } = capabilities;
  return [
    changes[changeModel],
    wordPermissions(facts, config),
    deletions ? "What is deleted there is hidden here." : staysHere,
    moves ? isNotFetched : "What gets another address there counts as a new document.",
    ...(uncounted === undefined ? [] : [uncounted]),
  ];
}

function wordPermissions(facts: SourceFacts, config: object | undefined): string {
  if (!facts.capabilities.permissions) return "It does not tell who may read a document: its default audience decides.";
  if (config === undefined) return "It can tell who may read each document.";
  return readerRulesOf(facts, config).size > 0
    ? "It tells who may read each document."
    : "With these settings it does not tell who may read a document: its default audience decides.";
}

const staysHere = "What is deleted there stays here.";
const isNotFetched = "What is only moved there is not fetched again.";

const ways: Record<ChangeModel, { changes: (differs: string) => string; deletions: string }> = {
  delta: told(""),
  "delta-and-listing": told("; now and then it lists everything besides"),
  "change-cursor": told(""),
  fingerprint: {
    changes: (differs) => `Each sync lists everything and reads what has ${differs}.`,
    deletions: "What is gone is found by the complete listing, and hidden here.",
  },
  watermark: {
    changes: () => "Each sync reads what is newer than what was read before.",
    deletions: "What is gone is found by listing all there is, and hidden here.",
  },
  conditional: {
    changes: () => "Each sync asks for each known document whether it has changed.",
    deletions: "What answers that it is gone, or is no longer met anywhere, is hidden here.",
  },
};

function told(besides: string) {
  return {
    changes: () => `Each sync asks what has changed since the last one${besides}.`,
    deletions: "What is gone is told in the same way, and hidden here.",
  };
}

/** In the check of a source of a kind that has nothing more exact to say of how it finds what changed and what is gone. */
export function withChanges(facts: SourceFacts, result: CheckResult): CheckResult {
  const { checks, error } = result;
  if (error !== null || checks.some(({ capability }) => capability === "changes")) return result;
  const { changeModel, capabilities, differsBy } = facts;
  const way = ways[changeModel];
  const message = [
    way.changes(differsBy ?? "changed"),
    capabilities.deletions ? way.deletions : staysHere,
    ...(capabilities.moves ? [isNotFetched] : []),
  ].join(" ");
  const behind = checks.findLastIndex(({ capability }) => capability === "read") + 1;
  return { ...result, checks: checks.toSpliced(behind, 0, { capability: "changes", status: "ok", message }) };
}
