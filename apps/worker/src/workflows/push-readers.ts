import { pushAgainSignal, type PushReadersInput } from "@anneal/core/indexing/contract";
import { defineSignal, proxyActivities, setHandler } from "@temporalio/workflow";
import type { PushActivities } from "../activities/push-readers.ts";

// An index that stays away for longer is told by the next sync's push: what it was not told is kept in the database.
const { pushReaders: push } = proxyActivities<PushActivities>({
  startToCloseTimeout: "12 hours",
  scheduleToCloseTimeout: "13 hours",
  heartbeatTimeout: "60 seconds",
  retry: { maximumAttempts: 120, maximumInterval: "30 seconds" },
});

/** Apart from the sync that saw the changes, so that this one has ended, and its source can be read, whatever the index does. */
export async function pushReaders(input: PushReadersInput): Promise<void> {
  let asked = true;
  setHandler(defineSignal(pushAgainSignal), () => {
    asked = true;
  });
  while (asked) {
    asked = false;
    await push(input);
  }
}
