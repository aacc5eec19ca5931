import { describe, expect, it } from "vitest";
import { boundPages } from "./bounded-pages.ts";
import type { ItemPage } from "./pages.ts";

const pageOf = (items: unknown[]): ItemPage => ({ items, answeredAtMs: 0, total: null });
const idsOf = (ids: readonly string[]) => ids.map((id) => ({ id }));

async function* listPages(pages: readonly unknown[][]): AsyncIterable<ItemPage> {
  for (const items of pages) yield pageOf(items);
}

/** It would come to an end, so that a test does whatever is done. */
async function* listForever(itemsOf: (page: number) => unknown[]): AsyncIterable<ItemPage> {
  for (let page = 0; page < 1000; page += 1) yield pageOf(itemsOf(page));
}

async function read(pages: AsyncIterable<ItemPage>, tells = ["id"], mostPages = 1_000_000): Promise<unknown[][]> {
  const all: unknown[][] = [];
  for await (const { items } of boundPages(pages, tells, mostPages)) all.push(items);
  return all;
}

describe("boundPages", () => {
  it("ends a listing that gives what it gave before for ever, after a few pages", async () => {
    const asked: number[] = [];
    const repeat = (itemsOf: (page: number) => unknown[], tells?: string[]) =>
      read(
        listForever((page) => {
          asked.push(page);
          return itemsOf(page);
        }),
        tells,
      );
    const refusal = {
      code: "INVALID_INPUT",
      message: "The service gives the same items again and again.",
      action: expect.stringContaining("Check the pagination"),
    };
    // How often they were read, which each answer tells anew.
    await expect(repeat((views) => ["a", "b"].map((id) => ({ id, views })))).rejects.toMatchObject(refusal);
    // A ring of two pages, in another order each time round.
    await expect(repeat((page) => idsOf(page % 2 === 0 ? ["a", "b"] : ["d", "c"]))).rejects.toMatchObject(refusal);
    // Nothing but what they say tells these apart.
    await expect(repeat(() => [{ text: "x" }])).rejects.toMatchObject(refusal);
    const members = (page: number) => [{ id: "staff", members: [{ name: "ann" }], page }];
    await expect(repeat(members, ["id", "members"])).rejects.toMatchObject(refusal);
    const empty = (page: number) => [{ id: "staff", members: [], page }];
    await expect(repeat(empty, ["id", "members"])).rejects.toMatchObject(refusal);
    expect(asked.length).toBeLessThan(25);
  });

  it("goes on past as many pages as others pushed back by what they wrote meanwhile", async () => {
    const read20 = Array.from({ length: 20 }, (_, page) => idsOf([`${page}a`, `${page}b`]));
    const pages = [...read20, ...read20, idsOf(["last"])];
    expect(await read(listPages(pages))).toEqual(pages);
    // Each in the middle of a page, and by two writers.
    const short = [idsOf(["a", "b"]), idsOf(["b", "a"]), idsOf(["a", "b"]), idsOf(["c"])];
    expect(await read(listPages(short))).toEqual(short);
  });

  it("goes on past empty pages", async () => {
    const pages = [idsOf(["a"]), ...Array.from({ length: 50 }, () => []), idsOf(["b"])];
    expect(await read(listPages(pages))).toEqual(pages);
  });

  it("takes each membership of one group for something new", async () => {
    const rows = Array.from({ length: 50 }, (_, at) => [{ group: "staff", member: `p${at}@x.example` }]);
    expect(await read(listPages(rows), ["group", "member"])).toEqual(rows);
    // Where the members stand elsewhere, what else a row says tells it from the others.
    expect(await read(listPages(rows), ["group", "members"])).toEqual(rows);
  });

  it("ends a listing whose pages bring something new for ever", async () => {
    const pages = listForever((page) => idsOf([`new${page}`]));
    await expect(read(pages, ["id"], 5)).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: "The list does not end: it has more than 5 pages.",
      action: expect.stringContaining("larger pages"),
    });
  });
});
