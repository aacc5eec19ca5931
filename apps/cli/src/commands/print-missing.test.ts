import { defaultDeletionPolicy, refuseDeletions } from "@anneal/core/connect/deletion-policy";
import { expect, it } from "vitest";
import type { z } from "zod";
import { printMissing } from "./print-missing.ts";

async function linesOf(missing: number, source: object): Promise<string[]> {
  const said: string[] = [];
  const portal = {
    async query<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      expect([procedure, input]).toEqual(["connect.get", { sourceId: "s1" }]);
      return output.parse(source);
    },
  };
  const heldBack = refuseDeletions(defaultDeletionPolicy, missing, missing)!;
  await printMissing(portal, { id: "s1" }, heldBack, (line) => said.push(line));
  return said;
}

const missingDocuments = [
  { id: "d1", title: "Plan", ref: "wards/plan.md" },
  { id: "d2", title: "notes.md", ref: "notes.md" },
];

it("names what a confirmation would delete, and says how much it does not name", async () => {
  const named = ["Confirming the deletions would delete:", "  Plan (wards/plan.md)", "  notes.md"];
  expect(await linesOf(2, { missingDocuments })).toEqual(named);
  expect(await linesOf(14, { missingDocuments })).toEqual([
    ...named,
    "  and 12 more, beyond the first or of documents that you may not read.",
  ]);
});

it("says nothing where nothing may be named, or a portal of before does not name it", async () => {
  expect(await linesOf(14, { missingDocuments: [] })).toEqual([]);
  expect(await linesOf(14, {})).toEqual([]);
});
