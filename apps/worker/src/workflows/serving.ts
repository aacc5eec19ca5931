import { continueAsNew, proxyActivities } from "@temporalio/workflow";
import type { ServingActivities } from "../activities/serving.ts";

const { watchReplicas } = proxyActivities<ServingActivities>({
  startToCloseTimeout: "2 hours",
  heartbeatTimeout: "20 seconds",
  retry: { initialInterval: "1 second", maximumInterval: "5 seconds" },
});

/** For ever: the activity watches for an hour, then a fresh history takes over. */
export async function reconcileServing(): Promise<void> {
  await watchReplicas();
  await continueAsNew<typeof reconcileServing>();
}
