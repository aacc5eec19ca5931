import { expect, it } from "vitest";
import type { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import { followRun } from "./follow-run.ts";

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
