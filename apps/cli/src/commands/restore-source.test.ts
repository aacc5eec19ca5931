import { expect, it } from "vitest";
import type { z } from "zod";
import { restoreSource } from "./restore-source.ts";

const wards = {
  id: "s1",
  name: "wards",
  kindTitle: "Windows share",
  location: String.raw`\\files.example\wards`,
  documentCount: 12,
  removedAt: "2031-02-03T04:05:06.000Z",
};

async function restore(removed: object[], wanted?: string) {
  const [restored, said]: [unknown[], string[]] = [[], []];
  const portal = {
    async query<T>(procedure: string, _input: unknown, output: z.ZodType<T>): Promise<T> {
      expect(procedure).toBe("connect.removed");
      return output.parse(removed);
    },
    async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
      expect(procedure).toBe("connect.restore");
      restored.push(input);
      return output.parse(undefined);
    },
  };
  await restoreSource(portal, wanted, (line) => said.push(line));
  return { restored, said };
}

it("takes back the source of that name or id, and no other", async () => {
  const other = { ...wards, id: "s2", name: "plans", documentCount: 1 };
  expect(await restore([other, wards], "wards")).toEqual({
    restored: [{ sourceId: "s1" }],
    said: ["✓ “wards” is back with its 12 documents, which the next run brings into the index again."],
  });
  expect((await restore([wards, other], "s2")).restored).toEqual([{ sourceId: "s2" }]);
  expect((await restore([{ ...wards, documentCount: 0 }], "wards")).said).toEqual(["✓ “wards” is back."]);
});

it("without a name lists what can be restored, and restores nothing", async () => {
  expect(await restore([wards])).toEqual({
    restored: [],
    said: [String.raw`wards  (Windows share, \\files.example\wards): 12 documents · removed 2031-02-03 04:05 UTC`],
  });
  expect((await restore([])).said).toEqual(["No source was removed."]);
});

it("names what can be restored where the name is another", async () => {
  await expect(restore([wards], "ward")).rejects.toMatchObject({ code: "NOT_FOUND", action: "Use one of: wards." });
  await expect(restore([], "ward")).rejects.toMatchObject({
    code: "NOT_FOUND",
    action: "There is nothing to restore.",
  });
});
