import { beforeEach, describe, expect, it } from "vitest";
import type { z } from "zod";
import { listDeleted, restoreDocuments } from "./deleted-documents.ts";

const source = { id: "s1", name: "wards" };
type Row = { id: string; title: string; ref: string; deletedAt: string; keptUntil: string };
type Asked = { status?: string; sourceId: string; search?: string; limit?: number; offset?: number };

let deleted: Row[];
let restored: unknown[];
let said: string[];
const say = (line: string) => said.push(line);
const portal = {
  async query<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
    const { status, sourceId, search = "", limit = 0, offset = 0 } = input as Asked;
    expect([procedure, status, sourceId]).toEqual(["documents.list", "deleted", "s1"]);
    const found = deleted.filter(({ title, ref }) => `${title} ${ref}`.includes(search));
    return output.parse({ rows: found.slice(offset, offset + limit), total: found.length });
  },
  async mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T> {
    expect(procedure).toBe("documents.restoreDeleted");
    restored.push(input);
    const { documentIds } = input as { documentIds?: string[] };
    return output.parse({ count: documentIds?.length ?? deleted.length });
  },
};
const rowOf = (ref: string, title = ref): Row => ({
  id: `d-${ref}`,
  title,
  ref,
  deletedAt: "2031-02-03T04:05:06.000Z",
  keptUntil: "2031-03-05T04:05:06.000Z",
});
const emptySearch = {
  code: "INVALID_INPUT",
  message: "--search has no text to search for.",
  action: "Give it some, or leave --search out. A variable in the command may not be set.",
};
beforeEach(() => {
  [restored, said] = [[], []];
  deleted = [rowOf("plans/a.md", "Plan A"), rowOf("notes/b.md")];
});

describe("anneal connect deleted", () => {
  it("lists each with its path, when it was deleted and until when it can be restored, and says how", async () => {
    await listDeleted(portal, source, {}, say);
    expect(said).toEqual([
      "plans/a.md  (Plan A) · deleted 2031-02-03 04:05 UTC · can be restored until 2031-03-05 04:05 UTC",
      "notes/b.md · deleted 2031-02-03 04:05 UTC · can be restored until 2031-03-05 04:05 UTC",
      '2 deleted. `anneal connect restore-documents "wards" <path>` takes one back, `anneal connect restore-documents "wards" --all --until 2031-02-03T04:05:06.000Z` all of these.',
      "What the source only closed to Anneal looks deleted as well: taken back, it is open to those who could read it before.",
    ]);
  });

  it("says how all that it lists is taken back, and neither what the search left out nor what is deleted since", async () => {
    deleted.unshift({ ...rowOf("plans/c.md"), deletedAt: "2031-02-04T04:05:06.789Z" });
    await listDeleted(portal, source, { search: "plans/" }, say);
    expect(said.at(-2)).toContain('"wards" --all --search "plans/" --until 2031-02-04T04:05:06.789Z` all of these.');
  });

  it("goes through all pages, and narrows them to what matches", async () => {
    deleted = Array.from({ length: 2_001 }, (_, index) => rowOf(`f${index}.md`));
    await listDeleted(portal, source, {}, say);
    expect(said).toHaveLength(2_003);
    said = [];
    await listDeleted(portal, source, { search: "f2000" }, say);
    expect(said[0]).toContain("f2000.md");
    expect(said).toHaveLength(3);
  });

  it.each(["", " "])("refuses a search for %j: it would list everything", async (search) => {
    await expect(listDeleted(portal, source, { search }, say)).rejects.toMatchObject(emptySearch);
    expect(said).toEqual([]);
  });

  it("says so where nothing is deleted", async () => {
    deleted = [];
    await listDeleted(portal, source, {}, say);
    await listDeleted(portal, source, { search: "plan" }, say);
    expect(said).toEqual([
      "Nothing of “wards” is deleted that could be restored.",
      "Nothing of “wards” with “plan” is deleted that could be restored.",
    ]);
  });
});

describe("anneal connect restore-documents", () => {
  it("takes back those of the given paths or ids, and says how many", async () => {
    await restoreDocuments(portal, source, ["plans/a.md", "d-notes/b.md", "plans/a.md"], {}, say);
    expect(restored).toEqual([{ sourceId: "s1", documentIds: ["d-plans/a.md", "d-notes/b.md"] }]);
    expect(said).toEqual([
      "✓ 2 documents are back. They stay until their source has them again; the next run brings them into the index.",
    ]);
    await restoreDocuments(portal, source, ["notes/b.md"], {}, say);
    expect(said[1]).toMatch(/^✓ 1 document is back\. It stays until its source has it again;/);
  });

  it("takes back thousands in as many calls as that takes", async () => {
    deleted = Array.from({ length: 1_001 }, (_, index) => rowOf(`f${index}.md`));
    await restoreDocuments(
      portal,
      source,
      deleted.map(({ ref }) => ref),
      {},
      say,
    );
    expect(restored.map((input) => (input as { documentIds: string[] }).documentIds.length)).toEqual([1_000, 1]);
    expect(said[0]).toContain("1001 documents are back");
  });

  it("takes back all, or all that match", async () => {
    await restoreDocuments(portal, source, [], { all: true }, say);
    await restoreDocuments(portal, source, [], { all: true, search: "plans/" }, say);
    expect(restored).toEqual([{ sourceId: "s1" }, { sourceId: "s1", search: "plans/" }]);
  });

  it("takes back what was deleted until a time, and nothing where that is none", async () => {
    const restoreUntil = (until: string) => restoreDocuments(portal, source, [], { all: true, until }, say);
    await restoreUntil("2031-02-03T05:05:06.789+01:00");
    expect(restored).toEqual([{ sourceId: "s1", deletedUntil: "2031-02-03T04:05:06.789Z" }]);
    for (const until of ["", "yesterday"])
      await expect(restoreUntil(until)).rejects.toMatchObject({
        code: "INVALID_INPUT",
        message: `“${until}” of --until is no time.`,
        action: "Give it as “anneal connect deleted” says it, such as 2031-02-03T04:05:06Z.",
      });
    expect(restored).toHaveLength(1);
  });

  it.each(["", " "])(
    "restores nothing where what is searched is %j, as with a variable that is not set",
    async (search) => {
      await expect(restoreDocuments(portal, source, [], { all: true, search }, say)).rejects.toMatchObject(emptySearch);
      expect(restored).toEqual([]);
    },
  );

  it("restores nothing where a path is not deleted, and names it", async () => {
    await expect(restoreDocuments(portal, source, ["plans/a.md", "plan.md"], {}, say)).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: "“plan.md” is no deleted document of “wards”.",
      action: '`anneal connect deleted "wards"` lists them; nothing was restored.',
    });
    expect(restored).toEqual([]);
  });

  it.each([
    [[], {}],
    [["plans/a.md"], { all: true }],
    [["plans/a.md"], { search: "plans" }],
    [["plans/a.md"], { until: "2031-02-03" }],
    [[], { search: "plans" }],
  ])("refuses %j with %j: what is meant is said with paths or with --all", async (paths, options) => {
    await expect(restoreDocuments(portal, source, paths, options, say)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      action: "Give the paths of documents, or --all with or without --search and --until.",
    });
    expect(restored).toEqual([]);
  });
});
