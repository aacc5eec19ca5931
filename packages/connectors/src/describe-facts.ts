import type { ChangeModel, SourceFacts } from "./connector.ts";

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

/** For people who choose a source: how fresh and how costly a sync is, and what it knows beside the content. */
export function describeFacts({ changeModel, capabilities }: SourceFacts): string[] {
  const { permissions, deletions, moves } = capabilities;
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
