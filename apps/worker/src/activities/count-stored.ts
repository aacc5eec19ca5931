import type { SyncCounts } from "@anneal/db/queries/source-syncs";

/** Documents of which something durable changed. */
export function countStored({ added, changed, removed }: SyncCounts): number {
  return added + changed + removed;
}
