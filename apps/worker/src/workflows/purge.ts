import { proxyActivities } from "@temporalio/workflow";
import type { PurgeActivities } from "../activities/purge-deleted.ts";

const { purgeDeletedDocuments } = proxyActivities<PurgeActivities>({
  startToCloseTimeout: "12 hours",
  heartbeatTimeout: "5 minutes",
  retry: { maximumAttempts: 6, maximumInterval: "10 minutes" },
});

/** Once a day, started by a schedule that the worker makes: what was deleted is kept only so long. */
export async function purgeDeleted(): Promise<{ purged: number }> {
  return purgeDeletedDocuments();
}
