import { describe, expect, it } from "vitest";
import { estimateTotal } from "./estimate-total.ts";
import { WalkedFolders } from "./walked-folders.ts";

/** A name that ends in "/" is a folder. */
type Tree = Record<string, string[]>;

function counted(tree: Tree) {
  let listings = 0;
  const list = async function* (folder: string) {
    listings += 1;
    yield* tree[folder] ?? [];
  };
  return { list, listings: () => listings };
}

/** @returns the files in the order of the walk, each with the total that was told at it */
async function walk(tree: Tree, counts = true, list = counted(tree).list) {
  const folders = new WalkedFolders("", counts);
  const files: { file: string; total: number | null }[] = [];
  for (let folder = folders.next(); folder !== undefined; folder = folders.next()) {
    const path = folder;
    try {
      for await (const name of folders.entries(() => list(path))) {
        if (name.endsWith("/")) folders.enter(path + name);
        else files.push({ file: path + name, total: estimateTotal(files.length + 1, folders.share) });
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return { files, share: folders.share };
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `${index}.md`);

describe("WalkedFolders", () => {
  it("tells of one folder how many files it has once a fiftieth of it is behind, however many those are", async () => {
    for (const count of [150, 1_000, 1_001, 3_000]) {
      const { files } = await walk({ "": many(count) });
      expect(files).toHaveLength(count);
      expect(files.filter(({ total }) => total === null).length).toBeLessThanOrEqual(count / 50);
      expect(new Set(files.flatMap(({ total }) => total ?? []))).toEqual(new Set([count]));
    }
  });

  it("says which folders come next, as far as they were found, in the order in which they do", async () => {
    const tree: Tree = { "": ["a/", "b/", "c/"], "a/": ["1/", "2/"] };
    const folders = new WalkedFolders("", false);
    const upcoming: string[][] = [];
    const came: string[] = [];
    for (let folder = folders.next(); folder !== undefined; folder = folders.next()) {
      came.push(folder);
      const path = folder;
      for await (const name of folders.entries(() => counted(tree).list(path))) folders.enter(path + name);
      upcoming.push(folders.upcoming(3));
    }
    expect(came).toEqual(["", "a/", "a/1/", "a/2/", "b/", "c/"]);
    expect(upcoming).toEqual([
      ["a/", "b/", "c/"],
      ["a/1/", "a/2/", "b/"],
      ["a/2/", "b/", "c/"],
      ["b/", "c/"],
      ["c/"],
      [],
    ]);
  });

  it("lists a folder twice only where it has more entries than are held", async () => {
    const small = counted({ "": many(1_000) });
    await walk({}, true, small.list);
    const large = counted({ "": many(1_001) });
    await walk({}, true, large.list);
    const uncounted = counted({ "": many(1_001) });
    await walk({}, false, uncounted.list);
    expect([small, large, uncounted].map(({ listings }) => listings())).toEqual([1, 2, 1]);
  });

  it("comes to the number of files in a tree, each folder with all below it before the next", async () => {
    const even: Tree = { "": ["a/", "b/", "c/", "d/"] };
    for (const folder of ["a/", "b/", "c/", "d/"]) {
      even[folder] = ["x/", "y/"];
      for (const below of ["x/", "y/"]) even[folder + below] = many(10);
    }
    const { files, share } = await walk(even);
    expect(share).toBeCloseTo(1);
    expect(files.map(({ file }) => file)).toEqual(files.map(({ file }) => file).toSorted());
    // Where every folder is like the others, the estimate is right from its beginning.
    for (const { total } of files) expect(total ?? 80).toBeCloseTo(80, 0);
  });

  it("counts empty folders, and what could not be listed, as passed", async () => {
    const list = async function* (folder: string) {
      yield* { "": ["a/", "b/", "c.md"], "b/": ["d.md", "e.md"] }[folder] ?? [];
      if (folder === "b/") throw new RangeError("cut off");
    };
    const { files, share } = await walk({}, true, list);
    expect(files.map(({ file }) => file)).toEqual(["c.md", "b/d.md", "b/e.md"]);
    expect(share).toBeCloseTo(1);
  });

  it("tells no share where none is wanted", async () => {
    const { share } = await walk({ "": many(3) }, false);
    expect(share).toBe(0);
  });
});

it("goes through a folder with more folders in it than a call takes arguments", async () => {
  const folders = new WalkedFolders("", false);
  folders.next();
  const count = 300_000;
  for (let index = 0; index < count; index += 1) folders.enter(`${index}/`);
  expect(folders.next()).toBe("0/");
  let left = 0;
  while (folders.next() !== undefined) left += 1;
  expect(left).toBe(count - 1);
});
