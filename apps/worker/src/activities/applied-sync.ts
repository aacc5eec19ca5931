import type { ConnectContext } from "@anneal/connectors/connector";
import type { Scope } from "@anneal/db/database";
import type { Source } from "@anneal/db/queries/sources";
import type { FingerprintReader } from "@anneal/db/queries/fingerprint-reader";
import type { SyncState } from "@anneal/db/queries/source-syncs";
import type { ObjectStore } from "@anneal/objects/object-store";
import type { ProgressReporter } from "./progress.ts";
import type { RefusedContents } from "./refused-contents.ts";

/** One source that is read, and what has been done of it so far. */
export type AppliedSync = {
  scope: Scope;
  objects: ObjectStore;
  source: Source;
  secrets: Record<string, string>;
  sync: Required<SyncState>;
  context: ConnectContext;
  /** For one document's content, from its opening to its end. */
  documentTimeoutMs: number;
  progress: Pick<ProgressReporter, "report">;
  /** How many waits in a row have brought nothing new; 0 where the sync has not waited. */
  idleWaits: number;
  /** For how long the source's requests have slept, because it asked for that. */
  sleptMs: () => number;
};

/** While it is read: `fingerprints` are told of all that is written. */
export type ReadingSync = AppliedSync & { fingerprints: FingerprintReader; refused: RefusedContents };
