import { aclFingerprint, nobody, type Acl } from "../access/acl.ts";
import { explainDuplicate } from "./explain-duplicate.ts";
import { NearDuplicateIndex, type IndexedText } from "./near-duplicate-index.ts";
import { compareOrder } from "./order.ts";
import { defaultDedupePolicy, type DedupePolicy } from "./policy.ts";

/** What a duplicate report needs to know of a document besides its text. */
export type DocumentFacts = {
  id: string;
  sourceId: string;
  firstSeenAtMs: number;
  /** What a person calls the document: its path, URL or title. */
  ref: string;
  /** null, as everywhere: nobody may read it. */
  acl: Acl | null;
};

export type DedupeDocument = DocumentFacts & Pick<IndexedText, "text" | "contentHash">;

/** A document that training leaves out. Whether retrieval may leave it out too is a question of who can read the other. */
export type Duplicate = {
  id: string;
  ref: string;
  code: "EXACT_DUPLICATE" | "NEAR_DUPLICATE";
  duplicateOf: string;
  /** Exact Jaccard similarity to `duplicateOf`. */
  similarity: number;
  /** True when exactly the same people may read this document and `duplicateOf`. */
  sameAudience: boolean;
  /**
   * Sources in which retrieval finds an earlier copy with the same audience: a search of any of them leaves this one
   * out. A search of other sources only, and one by whoever can read this and not its copies, still finds it.
   */
  hiddenIn: string[];
  /** A sentence for a person, which does not name the kept document. */
  reason: string;
};

/** A kept document and everything that is left out in its favour, earliest first. */
export type DuplicateCluster = { kept: string; duplicates: { id: string; similarity: number }[] };

export type DedupePlan = {
  /** Ids, earliest first. */
  kept: string[];
  /** Earliest first. */
  duplicates: Duplicate[];
  /** The largest first. */
  clusters: DuplicateCluster[];
  counts: { documents: number; kept: number; exact: number; near: number };
};

/** Decides one complete set of documents. For changing sets, keep a `NearDuplicateIndex` and call `reportDuplicates`. */
export async function planDedupe(
  documents: readonly DedupeDocument[],
  policy: DedupePolicy = defaultDedupePolicy,
): Promise<DedupePlan> {
  const index = new NearDuplicateIndex(policy);
  // In their order nothing has to be decided twice.
  for (const document of documents.toSorted(compareOrder)) await index.add(document);
  return reportDuplicates(index, documents, policy);
}

/** @param documents all that the index holds, or those to report on together with every document kept for them. */
export async function reportDuplicates(
  index: NearDuplicateIndex,
  documents: readonly DocumentFacts[],
  policy: DedupePolicy = defaultDedupePolicy,
): Promise<DedupePlan> {
  const plan: DedupePlan = {
    kept: [],
    duplicates: [],
    clusters: [],
    counts: { documents: documents.length, kept: 0, exact: 0, near: 0 },
  };
  const audiences = new Map(documents.map(({ id, acl }) => [id, aclFingerprint(acl ?? nobody)]));
  const sources = new Map(documents.map((each) => [each.id, each.sourceId]));
  const clusters = new Map<string, DuplicateCluster>();
  /** Per kept document and audience: the copies that stay findable, for that audience, in a search of their source. */
  const findable = new Map<string, { id: string; sourceId: string }[]>();

  for (const { id, ref, sourceId } of documents.toSorted(compareOrder)) {
    const decision = index.decisionOf(id);
    if (decision.status === "kept") {
      plan.kept.push(id);
      continue;
    }
    const { code, duplicateOf, similarity } = decision;
    const audience = audiences.get(id);
    const sameAudience = audience === audiences.get(duplicateOf);
    const hiddenIn = new Set(sameAudience ? [sources.get(duplicateOf)!] : []);
    const key = JSON.stringify([duplicateOf, audience]);
    const others = findable.get(key) ?? [];
    for (const other of others) {
      // Left out of every search that could find it: nothing more needs comparing.
      if (hiddenIn.has(sourceId)) break;
      if (hiddenIn.has(other.sourceId)) continue;
      if ((await index.similarity(id, other.id)) !== null) hiddenIn.add(other.sourceId);
    }
    if (!hiddenIn.has(sourceId)) findable.set(key, [...others, { id, sourceId }]);
    const found = { code, similarity, hiddenIn: [...hiddenIn].sort() };
    const reason = explainDuplicate(found, policy.threshold);
    plan.duplicates.push({ id, ref, duplicateOf, sameAudience, ...found, reason });
    const cluster = clusters.get(duplicateOf) ?? { kept: duplicateOf, duplicates: [] };
    cluster.duplicates.push({ id, similarity });
    clusters.set(duplicateOf, cluster);
  }

  plan.clusters = [...clusters.values()].sort((left, right) => right.duplicates.length - left.duplicates.length);
  plan.counts.kept = plan.kept.length;
  plan.counts.exact = plan.duplicates.filter(({ code }) => code === "EXACT_DUPLICATE").length;
  plan.counts.near = plan.duplicates.length - plan.counts.exact;
  return plan;
}
