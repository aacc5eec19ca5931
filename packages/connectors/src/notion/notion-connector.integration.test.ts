import { inspect } from "node:util";
import { defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import {
  FakeNotion,
  paragraph,
  richText,
  type FakeBlock,
  type FakePage,
} from "../../conformance/fake-notion/fake-notion.ts";
import { longTitle } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { startApi } from "../../conformance/start-api.ts";
import { testContext } from "../../conformance/test-context.ts";
import { notionConfigSchema, type NotionConfig } from "./config.ts";
import { notionConnector } from "./notion-connector.ts";

const context = testContext();

function configOf(notion: FakeNotion, config: Partial<NotionConfig> = {}): NotionConfig {
  return notionConfigSchema.parse({ apiUrl: notion.apiUrl, allowPrivateHosts: true, ...config });
}

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 60 * 60 * 1000);

/** A page with its text two levels down, and more blocks beside it than a list holds. */
function blocksOf(text: string): FakeBlock[] {
  const toggle = { type: "toggle", body: { rich_text: richText("More") }, children: [paragraph(text)] };
  return [paragraph("One"), paragraph("Two"), toggle];
}

describeConnector(
  "notion",
  async () => {
    const notion = await FakeNotion.start();
    const dataSource = notion.addDataSource();
    const pages = new Map<string, FakePage>();
    /** Also of what is gone. */
    const refs = new Map<string, string>();
    const add = (name: string, page: FakePage) => {
      pages.set(name, page);
      refs.set(name, page.id);
    };
    const trashed = new Map<string, FakePage>();
    const remove = async (name: string) => {
      const page = pages.get(name)!;
      page.inTrash = true;
      pages.delete(name);
      trashed.set(name, page);
    };
    return {
      connector: notionConnector,
      // Deletions are seen by a complete listing only.
      config: configOf(notion, { completeEvery: 1 }),
      secrets: { token: notion.token },
      refOf: (name) => refs.get(name) ?? "",
      async put(name, text) {
        const page = pages.get(name);
        if (page !== undefined) notion.edit(page, { blocks: blocksOf(text) });
        else {
          // Some are rows, and some of those are not in the index yet.
          const isRow = name.startsWith("guides/deep");
          const dataSourceId = isRow ? dataSource : null;
          add(name, notion.addPage(name, blocksOf(text), { dataSourceId, indexed: !isRow }));
        }
      },
      remove,
      async restore(name) {
        const page = trashed.get(name)!;
        page.inTrash = false;
        pages.set(name, page);
      },
      /** A page that is moved stays the page that it is; so a move is a new page and a deleted one. */
      async move(from, to) {
        add(to, notion.addPage(to, pages.get(from)!.blocks));
        await remove(from);
      },
      async breakItem(name) {
        const { id } = pages.get(name)!;
        notion.brokenPages.add(id);
        return async () => void notion.brokenPages.delete(id);
      },
      /** The integration is taken off every page. */
      async vanish() {
        const setShared = (shared: boolean) => {
          for (const page of notion.pages.values()) page.shared = shared;
          for (const source of notion.dataSources.values()) source.shared = shared;
        };
        setShared(false);
        return async () => setShared(true);
      },
      setClock: async (aheadMs) => void (notion.aheadMs = aheadMs),
      // A text in a title has at most 2,000 characters.
      names: { longest: [longTitle(2000)] },
      remote: { trouble: notion.trouble, staleCursor: (status) => notion.expireCursor(status), aboutAll: /\/search/ },
      close: () => notion.close(),
    };
  },
  "http",
);

describe("notion", () => {
  let notion: FakeNotion;
  let target: MemoryTarget;
  beforeEach(async () => {
    notion = await FakeNotion.start();
    target = new MemoryTarget();
  });
  afterEach(() => notion.close());

  const read = (config: Partial<NotionConfig> = {}, token = notion.token, inContext = context) =>
    notionConnector.read({
      config: configOf(notion, config),
      secrets: { token },
      cursor: target.cursor,
      known: target.known(),
      context: inContext,
    });
  const sync = async (config: Partial<NotionConfig> = {}) => {
    notion.calls.length = 0;
    await target.apply(read(config));
  };
  const errorOf = (token = notion.token) =>
    target.apply(read({}, token)).then(
      () => null,
      (error: unknown) => error,
    );
  const check = () => notionConnector.check(configOf(notion), { token: notion.token }, context);
  const blockReads = () => notion.calls.filter((call) => call.startsWith("GET blocks/")).length;

  it("says of a sync whether it goes through all pages", async () => {
    for (let index = 0; index < 51; index += 1) notion.addPage(`Page ${index}`, [paragraph("Text.")]);
    await sync();
    expect(progressOf(target)).toEqual([{ total: 51, listsAll: true }]);
    await sync();
    expect(progressOf(target)).toEqual([{ total: null, listsAll: false }]);
  });

  it("counts the pages of a first sync once, and reads all the same where it cannot", async () => {
    for (let index = 0; index < 51; index += 1) notion.addPage(`Page ${index}`, [paragraph("Text.")]);
    const searches = () => notion.calls.filter((call) => call === "POST search").length;
    await target.apply(read(), { at: 50, write: "done" });
    expect(target.changes.at(-1)).toMatchObject({ type: "checkpoint", total: 51 });
    const counted = Math.ceil(51 / notion.pageSize);
    expect(searches()).toBeGreaterThan(counted);
    await sync();
    // And once for data sources, of which there are none.
    expect(searches()).toBe(counted + 1);
    expect(progressOf(target)).toEqual([{ total: 51, listsAll: true }]);

    target = new MemoryTarget();
    notion.expireCursor();
    await sync();
    expect(target.documents.size).toBe(51);
    expect(progressOf(target)).toEqual([{ total: null, listsAll: true }]);
  });

  it("reads a row with its values, and gives its address", async () => {
    const dataSourceId = notion.addDataSource();
    const row = notion.addPage("Pump", [paragraph("It leaks.")], {
      dataSourceId,
      properties: {
        Status: { type: "status", status: { name: "Open" } },
        Tags: { type: "multi_select", multi_select: [{ name: "valve" }, { name: "urgent" }] },
        Due: { type: "date", date: { start: "2026-03-04", end: null } },
        Cost: { type: "number", number: 4.5 },
        Total: { type: "rollup", rollup: { type: "array", array: [{ type: "number", number: 2 }] } },
        Double: { type: "formula", formula: { type: "number", number: 9 } },
        Done: { type: "checkbox", checkbox: false },
        Empty: { type: "rich_text", rich_text: [] },
        Later: { type: "invented", invented: { a: 1 } },
      },
    });
    await sync();
    const { item, text } = target.documents.get(row.id)!;
    expect(text).toBe(
      [
        "# Pump",
        "Status: Open",
        "Tags: valve, urgent",
        "Due: 2026-03-04",
        "Cost: 4.5",
        "Total: 2",
        "Double: 9",
        "Done: no",
        "It leaks.\n",
      ].join("\n\n"),
    );
    expect(item).toMatchObject({ title: "Pump", mediaType: "text/markdown", acl: null });
    expect(item.uri).toBe(`https://www.notion.so/${row.id.replaceAll("-", "")}`);
  });

  it("reads rows that the search does not show yet", async () => {
    const dataSourceId = notion.addDataSource();
    notion.addPage("Page", [paragraph("a")]);
    const row = notion.addPage("Row", [paragraph("b")], { dataSourceId, indexed: false });
    await sync();
    expect(target.documents.has(row.id)).toBe(true);
  });

  /** Not in the search's index: only their database shows them. */
  const addRows = (createdMinutesAgo: readonly number[]) => {
    const dataSourceId = notion.addDataSource();
    return createdMinutesAgo.map((minutes) => {
      const createdAt = new Date(Date.now() - minutes * 60_000);
      return notion.addPage(`Row ${minutes}`, [paragraph("row")], { dataSourceId, createdAt, indexed: false });
    });
  };

  it("reads all rows of a database that has more than one query lists", async () => {
    notion.addPage("Page", [paragraph("a")]);
    notion.queryLimit = 3;
    const rows = addRows([90, 10, 30, 20, 50, 40, 70, 60, 80]);
    await sync();
    expect(rows.filter(({ id }) => !target.documents.has(id))).toEqual([]);
    expect(target.failures).toEqual([]);
  });

  it("says so where more rows were made in one minute than a query lists, and reads the rest", async () => {
    const page = notion.addPage("Page", [paragraph("a")]);
    notion.queryLimit = 3;
    addRows([5, 5, 5, 5, 5]);
    const other = addRows([9]);
    await sync();
    expect(target.failures).toMatchObject([{ error: { code: "DOCUMENT_TOO_LARGE" } }]);
    for (const { id } of [page, ...other]) expect(target.documents.has(id)).toBe(true);
  });

  const noAddress = { object: "page", id: "a", last_edited_time: "2026-03-04T10:15:00.000Z", properties: {} };
  it.each([
    ["nothing", "null"],
    ["no list", JSON.stringify({ object: "list", results: null })],
    ["a list of nothing", JSON.stringify({ object: "list", results: [null], next_cursor: null })],
    ["a page without an address", JSON.stringify({ object: "list", results: [noAddress], next_cursor: null })],
    ["a text", '"secret of the answer"'],
    ["no JSON", "<html>secret of the answer"],
  ])("takes no answer for a list that is %s", async (_, body) => {
    notion.addPage("Page", [paragraph("a")]);
    await sync();
    const api = await startApi(() => ({ body }));
    const error = await target.apply(read({ apiUrl: `${api.origin}/v1`, completeEvery: 1 })).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    await api.stop();
    expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE" });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toMatch(/secret of the answer|ntn_/);
    expect(target.documents.size).toBe(1);
  });

  it("leaves what is in a page below to that page", async () => {
    const child: FakeBlock = { type: "child_page", body: { title: "Below" }, children: [paragraph("secret of below")] };
    const page = notion.addPage("Above", [paragraph("above"), child]);
    await sync();
    expect(target.documents.get(page.id)?.text).toBe("# Above\n\nabove\n");
  });

  it("looks only at what was edited lately, and reads only what changed in it", async () => {
    for (let hours = 100; hours > 0; hours -= 10) {
      notion.addPage(`Edited ${hours} hours ago`, [paragraph("text")], { editedAt: hoursAgo(hours) });
    }
    await sync();
    const [first] = notion.pages.values();
    notion.edit(first!, { blocks: [paragraph("new text")] });
    await sync();
    expect(target.opened).toEqual([first!.id]);
    expect(blockReads()).toBe(1);
    expect(notion.calls.filter((call) => call === "POST search").length).toBeLessThan(4);
  });

  it("notices a second edit in the same minute", async () => {
    const at = new Date();
    const page = notion.addPage("Minutes", [paragraph("first")], { editedAt: at });
    await sync();
    notion.edit(page, { blocks: [paragraph("second")] }, at);
    await sync();
    expect(target.documents.get(page.id)?.text).toContain("second");
    await sync();
    expect(target.opened).toEqual([]);
  });

  it("takes out what is in the trash or no longer shared with a complete listing, and no sooner", async () => {
    const [kept, trashed, unshared] = ["kept", "trashed", "unshared"].map((title) => notion.addPage(title, []));
    await sync({ completeEvery: 2 });
    trashed!.inTrash = true;
    unshared!.shared = false;
    await sync({ completeEvery: 2 });
    expect(target.documents.size).toBe(3);
    await sync({ completeEvery: 2 });
    expect([...target.documents.keys()]).toEqual([kept!.id]);
  });

  it("says at each sync that deletions wait for a person, until one confirms them", async () => {
    const pages = ["a", "b", "c", "d"].map((title) => notion.addPage(title, []));
    await sync();
    for (const page of pages.slice(2)) page.inTrash = true;
    const syncUnder = async (deletions: DeletionPolicy, config: Partial<NotionConfig> = {}) => {
      await target.apply(read(config, notion.token, { ...context, deletions }));
      return target.failures.map(({ error }) => error.code);
    };
    expect(await syncUnder(defaultDeletionPolicy)).toEqual([]);
    expect(await syncUnder(defaultDeletionPolicy, { completeEvery: 1 })).toEqual(["CONFLICT"]);
    expect(await syncUnder(defaultDeletionPolicy)).toEqual(["CONFLICT"]);
    expect(await syncUnder(defaultDeletionPolicy)).toEqual(["CONFLICT"]);
    expect(await syncUnder({ ...defaultDeletionPolicy, confirmed: true })).toEqual([]);
    expect(target.documents.size).toBe(2);
    expect(await syncUnder(defaultDeletionPolicy)).toEqual([]);
  });

  it("never deletes a page that the search merely does not show, and keeps reading it", async () => {
    const pages = ["a", "b", "c"].map((title) => notion.addPage(title, [paragraph(title)], { editedAt: hoursAgo(50) }));
    await sync();
    pages[1]!.indexed = false;
    notion.edit(pages[1]!, { blocks: [paragraph("changed")] });
    await sync({ completeEvery: 1 });
    expect(target.documents.size).toBe(3);
    expect(target.documents.get(pages[1]!.id)?.text).toContain("changed");
  });

  it("finds an old page that is newly shared with a complete listing", async () => {
    notion.addPage("New", [paragraph("new")]);
    const old = notion.addPage("Old", [paragraph("old")], { editedAt: hoursAgo(1000), shared: false });
    await sync();
    old.shared = true;
    await sync({ completeEvery: 1 });
    expect(target.documents.has(old.id)).toBe(true);
  });

  it("tries a page that failed again, however old it is", async () => {
    notion.addPage("New", [paragraph("new")]);
    const old = notion.addPage("Old", [paragraph("old")], { editedAt: hoursAgo(1000) });
    notion.brokenPages.add(old.id);
    await sync();
    expect(target.failures.map(({ ref }) => ref)).toEqual([old.id]);
    notion.brokenPages.clear();
    await sync();
    expect(target.opened).toEqual([old.id]);
  });

  it("keeps the rows of a database that fails", async () => {
    const dataSourceId = notion.addDataSource();
    notion.addPage("Page", [paragraph("a")]);
    const row = notion.addPage("Row", [paragraph("b")], { dataSourceId, indexed: false });
    await sync();
    notion.brokenDataSources.add(dataSourceId);
    await sync({ completeEvery: 1 });
    expect(target.failures.map(({ ref }) => ref)).toEqual([`${dataSourceId}/`]);
    expect(target.documents.has(row.id)).toBe(true);
  });

  it("does not read again what a first sync had read before it was interrupted", async () => {
    for (let page = 0; page < 120; page += 1) {
      notion.addPage(`Page ${page}`, [paragraph("text")], { editedAt: hoursAgo(200 - page) });
    }
    notion.pageSize = 100;
    expect(await target.apply(read(), { at: 110, write: "done" })).toBe("killed");
    await sync();
    expect(blockReads()).toBeLessThanOrEqual(20);
    expect(target.documents.size).toBe(120);
  });

  it("says that a page nested or filled without end is too large, and reads the others", async () => {
    let inner = paragraph("bottom");
    for (let depth = 0; depth < 30; depth += 1) inner = { type: "toggle", body: { rich_text: [] }, children: [inner] };
    const deep = notion.addPage("Deep", [inner]);
    const flat = notion.addPage("Flat", [paragraph("flat")]);
    await sync();
    expect(target.failures).toMatchObject([{ ref: deep.id, error: { code: "DOCUMENT_TOO_LARGE" } }]);
    expect([...target.documents.keys()]).toEqual([flat.id]);
  });

  it("reads a page that was too large once more is allowed, though nobody has edited it", async () => {
    const long = notion.addPage("Long", [paragraph("x".repeat(1500))], { editedAt: hoursAgo(100) });
    notion.addPage("Short", [paragraph("short")], { editedAt: hoursAgo(1) });
    const small = { ...context, limits: { ...context.limits, documentBytes: 1000 } };
    const within = (limited: typeof context) => target.apply(read({}, notion.token, limited));
    await within(small);
    expect(target.failures).toMatchObject([{ ref: long.id, error: { code: "DOCUMENT_TOO_LARGE" } }]);
    await within(small);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint"]);
    await within(context);
    expect(target.opened).toEqual([long.id]);
    await within(context);
    expect(target.opened).toEqual([]);
  });

  it("asks again after one refusal", async () => {
    notion.addPage("Page", [paragraph("text")]);
    notion.refuseOnce();
    await sync();
    expect(target.documents.size).toBe(1);
  });

  it("ends at a position that Notion no longer accepts, to be tried again", async () => {
    for (let page = 0; page < 6; page += 1) notion.addPage(`Page ${page}`, [paragraph("text")]);
    // The first one is of the count, which may be refused.
    for (let position = 0; position < 2; position += 1) notion.expireCursor();
    expect(await errorOf()).toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    await sync();
    expect(target.documents.size).toBe(6);
  });

  it("tells a wrong token from a missing capability, and never repeats the token", async () => {
    notion.addPage("Page", [paragraph("text")]);
    const wrong = await errorOf("ntn_very-secret");
    expect(wrong).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect(JSON.stringify(wrong, Object.getOwnPropertyNames(wrong))).not.toContain("very-secret");
    notion.mayRead = false;
    expect(await errorOf()).toMatchObject({ code: "SOURCE_FORBIDDEN" });
    expect((await check()).error).toMatchObject({ action: expect.stringContaining("Read content") });
  });

  it("says in check() what would be read, and that everybody of the audience sees it", async () => {
    notion.addPage("Handbook", [paragraph("text")]);
    const { checks, summary } = await check();
    expect(summary).toBe('Notion workspace "Acme" can be read: 1 page: Handbook.');
    expect(checks.find(({ capability }) => capability === "permissions")).toMatchObject({
      status: "warning",
      message: expect.stringContaining("default audience"),
    });
  });
});
