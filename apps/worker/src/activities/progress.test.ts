import type { Scope } from "@anneal/db/database";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { expect, it } from "vitest";
import { createProgressReporter } from "./progress.ts";

it("heartbeats at once, and then ten times a second however often it is called", async () => {
  const heartbeats: unknown[] = [];
  const context = { heartbeat: (details: unknown) => void heartbeats.push(details) } as unknown as Context;
  let now = 0;
  // Outside a run nothing is written.
  const place = { scope: {} as Scope, runId: null, stage: "connect" as const, unit: "documents" };
  const progress = createProgressReporter(place, () => now);
  await asyncLocalStorage.run(context, async () => {
    for (let done = 1; done <= 1_000; done += 1) {
      await progress.report(done, null);
      now += 1;
    }
  });
  expect(heartbeats).toHaveLength(10);
  expect(heartbeats[0]).toEqual({ done: 1, total: null });
});
