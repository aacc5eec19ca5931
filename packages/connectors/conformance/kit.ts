import type { Change } from "@anneal/core/connect/change";
import type { ConformanceHarness } from "./describe-connector.ts";
import type { MemoryTarget } from "./memory-target.ts";

/** What the parts of the conformance kit share: a source's hands, and what a sync into a target must come to. */
export type Kit = {
  /** Of the source of the present test. */
  hands(): Pick<ConformanceHarness<never, never>, "put" | "remove" | "refOf" | "setClock" | "names">;
  /** What every test's source holds at its beginning, by name. */
  corpus: Readonly<Record<string, string>>;
  sync(target: MemoryTarget): Promise<MemoryTarget>;
  /** Of the last sync, without checkpoints. */
  changesOf(target: MemoryTarget): Change[];
  /** The target holds these documents, each with this text in it, and no others. */
  expectDocuments(target: MemoryTarget, expected: Record<string, string>): void;
};
