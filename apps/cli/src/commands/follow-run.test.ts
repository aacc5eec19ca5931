import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { followRun, linesOf } from "./follow-run.ts";

/** A portal whose run has ended so. */
function portalWith(run: { status: string; error: object | null }): PortalClient {
  return {
    url: "http://portal.example",
    query: async <T>(_procedure: string, _input: unknown, output: z.ZodType<T>): Promise<T> =>
      output.parse({ id: "r1", stages: [], ...run }),
    mutate: async () => expect.fail("nothing is changed"),
    ask: async () => expect.fail("nothing is asked"),
  };
}

it("says that somebody cancelled the run, or which stage ended it and why", async () => {
  await expect(followRun(portalWith({ status: "cancelled", error: null }), "r1")).rejects.toMatchObject({
    code: "CANCELLED",
    message: "The run was cancelled.",
  });
  const error = { stage: "connect", code: "SOURCE_EMPTY", message: "No document could be read.", action: "Add some." };
  await expect(followRun(portalWith({ status: "failed", error }), "r1")).rejects.toMatchObject({
    code: "SOURCE_EMPTY",
    message: "The stage connect ended the run: No document could be read.",
    action: "Add some.",
  });
});

it("says at the stage that comes next which other run has to end first", () => {
  const stage = { inCount: 0, outCount: 0, droppedCount: 0, durationMs: null, progress: null, note: null };
  const stages = [
    { ...stage, stage: "connect" as const, status: "skipped" as const },
    { ...stage, stage: "clean" as const, status: "waiting" as const },
    { ...stage, stage: "dedupe" as const, status: "waiting" as const },
  ];
  const textOf = (waitsFor: string | null) =>
    linesOf({ stages, waitsFor }).map(({ text }) => stripVTControlCharacters(text));
  expect(textOf(null)).toEqual(["– connect  ", "· clean    ", "· dedupe   "]);
  expect(textOf("r2")).toEqual(["– connect  ", "· clean     waits for another run, r2", "· dedupe   "]);
  // A log hears of it from time to time, as of what runs.
  expect(linesOf({ stages, waitsFor: "r2" }).map(({ status }) => status)).toEqual(["skipped", "running", "waiting"]);
});
