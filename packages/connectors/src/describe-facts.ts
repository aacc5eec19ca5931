import type { ChangeModel, SourceFacts } from "./connector.ts";

const changes: Record<ChangeModel, string> = {
  delta:
    "The source tells what has changed since the last sync: a sync costs little however much there is, and may run often.",
  fingerprint:
    "A sync lists everything and fetches only what has changed: its cost grows with the number of documents, not with their size.",
  watermark:
    "A sync asks only for what is newer than the last one read, and now and then lists everything, to find what is gone.",
  "full-listing": "A sync reads everything again to find what has changed: each costs about as much as the first.",
  conditional:
    "A sync asks for each known document whether it has changed: its cost grows with the number of documents, not with their size.",
};

/** For people who choose a source: how fresh and how costly a sync is, and what it knows beside the content. */
export function describeFacts({ changeModel, capabilities: { permissions, deletions, moves } }: SourceFacts): string[] {
  return [
    changes[changeModel],
    permissions
      ? "It can tell who may read each document."
      : "It does not tell who may read a document: the settings here decide.",
    deletions ? "What is deleted there is hidden here." : "What is deleted there stays here.",
    moves
      ? "What is only moved there is not fetched again."
      : "What gets another address there counts as a new document.",
  ];
}
