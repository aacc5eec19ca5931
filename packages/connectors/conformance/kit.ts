import type { Change } from "@anneal/core/connect/change";
import type { AnnealError } from "@anneal/core/errors";
import type { ConnectContext } from "../src/connector.ts";
import type { ConformanceHarness } from "./describe-connector.ts";
import type { Kill, MemoryTarget } from "./memory-target.ts";

/** What the parts of the conformance kit share: a source's hands, and what a sync into a target must come to. */
export type Kit = {
  /** Of the source of the present test. */
  hands(): Pick<
    ConformanceHarness<unknown, unknown>,
    | "connector"
    | "put"
    | "remove"
    | "refOf"
    | "addParts"
    | "setClock"
    | "names"
    | "remote"
    | "relay"
    | "stallTimeoutMs"
    | "lockOuts"
    | "secrets"
  >;
  /** What every test's source holds at its beginning, by name. */
  corpus: Readonly<Record<string, string>>;
  /** Gives each of these a reader of its own, where the source has permissions. */
  shareCorpus(): Promise<void>;
  /** @param context what differs in it from what every test's sync gets */
  sync(target: MemoryTarget, context?: Partial<ConnectContext>, kill?: Kill): Promise<MemoryTarget>;
  /** As `sync`. @returns why it ended early, or null when it came to its end; anything but an AnnealError is thrown */
  attempt(target: MemoryTarget, context?: Partial<ConnectContext>): Promise<AnnealError | null>;
  /** Of the last sync, without checkpoints. */
  changesOf(target: MemoryTarget): Change[];
  /** The target holds these documents, each with this text in it, and no others. */
  expectDocuments(target: MemoryTarget, expected: Record<string, string>): void;
};
