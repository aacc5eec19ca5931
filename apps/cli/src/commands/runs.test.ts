import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { findRunId, startRun } from "./runs.ts";

const first = "df84c27c-0000-4000-8000-000000000001";
const second = "df84aaaa-0000-4000-8000-000000000002";

describe("startRun", () => {
  const refusing = (details: Record<string, unknown>) => ({
    mutate: async () =>
      Promise.reject(new AnnealError("ALREADY_RUNNING", "A run goes on.", { action: "Wait until it ends.", details })),
  });

  it("names the command that stops the run in the way", async () => {
    await expect(startRun(refusing({ runId: first }), {})).rejects.toMatchObject({
      code: "ALREADY_RUNNING",
      action: `Wait until it ends. \`anneal loop cancel ${first}\` stops it.`,
    });
    await expect(startRun(refusing({}), {})).rejects.toMatchObject({ action: "Wait until it ends." });
  });
});

describe("findRunId", () => {
  const portal = {
    query: async <T>(_procedure: string, _input: unknown, output: z.ZodType<T>) =>
      output.parse({ runs: [{ id: first }, { id: second }] }),
  };

  it.each([
    ["df84c27c", first],
    ["DF84A", second],
    [first, first],
  ])("takes %s", async (given, id) => {
    expect(await findRunId(portal, given)).toBe(id);
  });

  it.each([
    ["df84", '2 runs begin with "df84".'],
    ["abc", 'No run begins with "abc".'],
    ["", 'No run begins with "".'],
  ])("refuses %j", async (given, message) => {
    await expect(findRunId(portal, given)).rejects.toMatchObject({ code: "NOT_FOUND", message });
  });
});
