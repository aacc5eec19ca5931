import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterDriver, WorkloadState } from "./cluster-driver.ts";

/** States as they change, for a driver that nobody tells of changes. Ends when `signal` aborts. */
export async function* watchByPolling(
  driver: Pick<ClusterDriver, "list">,
  intervalMs: number,
  signal: AbortSignal,
): AsyncGenerator<WorkloadState> {
  const told = new Map<string, string>();
  while (!signal.aborted) {
    const states = (await driver.list()).map(({ state }) => state);
    const present = new Set(states.map((state) => state.workloadId));
    for (const workloadId of told.keys()) if (!present.has(workloadId)) states.push({ workloadId, status: "gone" });
    for (const state of states) {
      const text = JSON.stringify(state);
      if (told.get(state.workloadId) === text) continue;
      if (state.status === "gone") told.delete(state.workloadId);
      else told.set(state.workloadId, text);
      yield state;
    }
    // Aborting ends the wait; whoever aborted knows.
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}
