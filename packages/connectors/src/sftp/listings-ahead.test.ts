import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createListingsAhead } from "./listings-ahead.ts";

async function collect<Entry>(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const collected: Entry[] = [];
  for await (const entry of entries) collected.push(entry);
  return collected;
}

function createFolders(sizes: Record<string, number>) {
  const asked: string[] = [];
  let given = 0;
  const listings = createListingsAhead(async function* (ref) {
    asked.push(ref);
    for (let index = 0; index < (sizes[ref] ?? 0); index += 1) {
      given += 1;
      yield `${ref}${index}`;
    }
    if (ref === "shut/") throw new Error("may not be read");
  });
  return { asked, given: () => given, listings };
}

it("asks for folders before their turn, and gives what they hold in their order", async () => {
  const { asked, listings } = createFolders({ "a/": 2, "b/": 1 });
  listings.announce(["a/", "b/"]);
  listings.announce(["b/"]);
  await nextTurn();
  expect(asked).toEqual(["a/", "b/"]);
  expect(await collect(listings.list("a/"))).toEqual(["a/0", "a/1"]);
  expect(await collect(listings.list("b/"))).toEqual(["b/0"]);
  expect(asked).toEqual(["a/", "b/"]);
});

it("lists anew what is listed again, and in its turn what was not announced", async () => {
  const { asked, listings } = createFolders({ "a/": 1, "b/": 1 });
  listings.announce(["a/"]);
  for (const ref of ["a/", "a/", "b/"]) expect(await collect(listings.list(ref))).toEqual([`${ref}0`]);
  expect(asked).toEqual(["a/", "a/", "b/"]);
});

it("holds some entries of a few folders, and gives all of them", async () => {
  const sizes = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`${index}/`, 300]));
  const { asked, given, listings } = createFolders(sizes);
  listings.announce(Object.keys(sizes));
  while (given() < 6400) await nextTurn();
  for (let turn = 0; turn < 10; turn += 1) await nextTurn();
  expect([asked.length, given()]).toEqual([64, 6400]);
  for (const ref of Object.keys(sizes)) {
    const entries = await collect(listings.list(ref));
    expect(entries).toEqual(Array.from({ length: 300 }, (_, index) => `${ref}${index}`));
  }
});

it("throws what a folder fails with in its turn, behind what came before", async () => {
  const { listings } = createFolders({ "shut/": 1 });
  listings.announce(["shut/"]);
  await nextTurn();
  const entries: string[] = [];
  const read = async () => {
    for await (const entry of listings.list("shut/")) entries.push(entry);
  };
  await expect(read()).rejects.toThrow("may not be read");
  expect(entries).toEqual(["shut/0"]);
});
