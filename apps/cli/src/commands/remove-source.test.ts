import { beforeEach, expect, it } from "vitest";
import type { z } from "zod";
import { removeSource } from "./remove-source.ts";

const source = { id: "s1", name: "wards", documentCount: 12 };
let removed: unknown[];
let asked: string[];
let said: string[];
const portal = {
  async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
    expect(procedure).toBe("connect.remove");
    removed.push(input);
    return output.parse(undefined);
  },
};
const say = (line: string) => said.push(line);
const answering = (answer: string) => async (question: string) => {
  asked.push(question);
  return answer;
};
beforeEach(() => {
  [removed, asked, said] = [[], [], []];
});

it.each(["y", "Yes", " y "])("removes a source when the answer is “%s”", async (answer) => {
  await removeSource(portal, source, {}, { say, ask: answering(answer) });
  expect(asked).toEqual(["Remove “wards”? Its 12 documents leave search, chat and later datasets at once. [y/N] "]);
  expect(removed).toEqual([{ sourceId: "s1" }]);
  expect(said.join("\n")).toContain("is removed");
});

it.each(["", "n", "yesterday"])("keeps it when the answer is “%s”", async (answer) => {
  await removeSource(portal, source, {}, { say, ask: answering(answer) });
  expect(removed).toEqual([]);
  expect(said).toEqual(["“wards” stays as it is."]);
});

it("asks nobody with --yes, and removes nothing where nobody can be asked without it", async () => {
  await expect(removeSource(portal, source, {}, { say, ask: null })).rejects.toMatchObject({
    code: "INVALID_INPUT",
    action: "Pass --yes to remove it without being asked.",
  });
  expect(removed).toEqual([]);
  await removeSource(portal, source, { yes: true }, { say, ask: null });
  expect(removed).toEqual([{ sourceId: "s1" }]);
});
