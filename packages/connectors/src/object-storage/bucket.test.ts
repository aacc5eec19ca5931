import { AnnealError } from "@anneal/core/errors";
import { describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { testContext } from "../../conformance/test-context.ts";
import { checkBucket, readBucket, type Bucket, type BucketObject } from "./bucket.ts";

const config = { prefix: "", include: [], exclude: [] };
const words = { bucket: "bucket", object: "object", permissions: "Access is not read" } as const;
const frozen = new AnnealError("SOURCE_FORBIDDEN", "It is archived.", { action: "Thaw it." });

function bucketOf(objects: readonly (Partial<BucketObject> & { name: string })[], opened: string[] = []) {
  let isOpen = true;
  const bucket: Bucket = {
    list: async () => ({
      objects: objects.map((object) => ({
        uri: `memory://${object.name}`,
        mediaType: null,
        sizeBytes: 3,
        modifiedAt: null,
        fingerprint: "1",
        isFolder: false,
        unreadable: null,
        async open() {
          opened.push(object.name);
          return (async function* () {
            yield Buffer.from("abc");
          })();
        },
        ...object,
      })),
      next: undefined,
    }),
    close: () => void (isOpen = false),
  };
  return { open: () => bucket, isOpen: () => isOpen };
}

async function sync(target: MemoryTarget, open: () => Bucket): Promise<MemoryTarget> {
  await target.apply(
    readBucket({ config, cursor: target.cursor, known: target.known(), context: testContext() }, open),
  );
  return target;
}

describe("a bucket of any kind", () => {
  it("gives its objects, and neither what stands for a folder nor what lies outside the patterns", async () => {
    const { open, isOpen } = bucketOf([
      { name: "a.md" },
      { name: "empty/", sizeBytes: 0 },
      // Some programs write a line feed.
      { name: "line/", sizeBytes: 1 },
      { name: "dir", isFolder: true },
      { name: "dir/", isFolder: true },
    ]);
    const target = await sync(new MemoryTarget(), open);
    expect(target.contents()).toEqual({ "a.md": "abc" });
    expect(isOpen()).toBe(false);
  });

  it("counts the objects that the patterns keep out, and not what shows an empty folder", async () => {
    const names = ["a.md", "b.txt", "old/c.md"];
    const { open } = bucketOf([...names.map((name) => ({ name })), { name: "old/", sizeBytes: 0 }]);
    const filter = { prefix: "", include: ["*.md"], exclude: ["old/**"] };
    const target = new MemoryTarget();
    for (const run of ["first", "second"]) {
      const request = { config: filter, cursor: target.cursor, known: target.known(), context: testContext() };
      await target.apply(readBucket(request, open));
      expect(target.changes.at(-1), run).toMatchObject({ scanned: 1, leftOut: { excluded: 2 } });
    }
  });

  it("reads an object whose name ends in a slash where it has content, under a ref that no other object has", async () => {
    const names = ["notes.md/", "notes.md", "notes.md%2F", "notes.md%252F", "notes.md//", "notes.md/a", "50%2F"];
    const { open } = bucketOf([...names, "drafts/"].map((name) => ({ name })));
    const filter = { prefix: "", include: ["*.md", "*%2F"], exclude: ["*252F"] };
    const target = new MemoryTarget();
    const request = { config: filter, cursor: null, known: target.known(), context: testContext() };
    await target.apply(readBucket(request, open));
    const told = [...target.documents.values()].map(({ item }) => [item.ref, item.title, item.uri]);
    expect(told.toSorted()).toEqual([
      ["50%252F", "50%2F", "memory://50%2F"],
      ["notes.md%252F", "notes.md%2F", "memory://notes.md%2F"],
      ["notes.md%2F", "notes.md", "memory://notes.md/"],
      ["notes.md", "notes.md", "memory://notes.md"],
      ["notes.md/%2F", "notes.md", "memory://notes.md//"],
    ]);
    await sync(target, bucketOf(names.map((name) => ({ name }))).open);
    expect(target.documents.size).toBe(names.length);
    await sync(target, bucketOf(names.map((name) => ({ name }))).open);
    expect(target.changes.map(({ type }) => type)).toEqual(["checkpoint", "checkpoint"]);
  });

  it("reads what ends in a slash and whose size is not told, and leaves it out where it turns out to be empty", async () => {
    const opened: string[] = [];
    const holding = (name: string, ...parts: string[]) => ({
      name,
      sizeBytes: null,
      async open() {
        opened.push(name);
        return (async function* () {
          for (const part of parts) yield Buffer.from(part);
        })();
      },
    });
    const refused = { name: "refused/", sizeBytes: null, open: () => Promise.reject(frozen) };
    const objects = [
      holding("notes.md/", "a", "bc"),
      holding("empty/"),
      holding("line/", "", "\n"),
      holding("x/", "x"),
    ];
    const target = await sync(new MemoryTarget(), bucketOf([...objects, refused]).open);
    expect(target.contents()).toEqual({ "notes.md%2F": "abc", "x%2F": "x" });
    expect(target.failures.map(({ ref, error }) => [ref, error.message])).toEqual([["refused%2F", "It is archived."]]);
    opened.length = 0;
    await sync(target, bucketOf(objects).open);
    // What is known has content.
    expect(opened).toEqual(["empty/", "line/"]);
    await sync(target, bucketOf([{ ...holding("notes.md/"), fingerprint: "2" }]).open);
    expect(target.contents()).toEqual({});
  });

  it("calls an object whose name is nothing but slashes by its ref", async () => {
    const target = await sync(new MemoryTarget(), bucketOf([{ name: "/" }, { name: "//" }, { name: "docs//" }]).open);
    const titles = [...target.documents.values()].map(({ item }) => [item.ref, item.title]);
    expect(titles).toEqual([
      ["%2F", "%2F"],
      ["/%2F", "/%2F"],
      ["docs/%2F", "docs"],
    ]);
  });

  it("is counted before a first sync, and read all the same where the count is refused", async () => {
    const { open } = bucketOf([{ name: "a.md" }, { name: "b.md" }, { name: "empty/", sizeBytes: 0 }]);
    const target = await sync(new MemoryTarget(), open);
    expect(progressOf(target).map(({ total }) => total)).toEqual([2]);
    await sync(target, open);
    expect(progressOf(target).map(({ total }) => total)).toEqual([null]);

    let listings = 0;
    const refusedOnce = (): Bucket => {
      const bucket = open();
      return {
        ...bucket,
        list: (...asked) => ((listings += 1) === 1 ? Promise.reject(frozen) : bucket.list(...asked)),
      };
    };
    const uncounted = await sync(new MemoryTarget(), refusedOnce);
    expect(progressOf(uncounted).map(({ total }) => total)).toEqual([null]);
    expect(uncounted.contents()).toEqual({ "a.md": "abc", "b.md": "abc" });
  });

  it("says under a ref that can be stored that a name cannot be, each time, and deletes nothing for it", async () => {
    const { open } = bucketOf([{ name: "a\0b.md" }]);
    const target = new MemoryTarget();
    for (let run = 0; run < 2; run += 1) {
      await sync(target, open);
      expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([["a%00b.md", "INVALID_INPUT"]]);
      const item = { ref: "a%00b.md", uri: "", title: "", mediaType: null, sizeBytes: null, modifiedAt: null };
      // As the worker keeps what it could not read.
      target.documents.set(item.ref, { item: { ...item, fingerprint: "", acl: null }, text: "" });
    }
    expect(target.changes.map(({ type }) => type)).not.toContain("delete");
  });

  it("reads no more of an object than a document may be, whatever the listing says of it", async () => {
    const { open } = bucketOf([
      { name: "declared.md", sizeBytes: 4 },
      { name: "undeclared.md", sizeBytes: null },
    ]);
    const target = new MemoryTarget();
    const context = testContext({ limits: { documentBytes: 2 } });
    await target.apply(readBucket({ config, cursor: null, known: target.known(), context }, open));
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([
      ["declared.md", "DOCUMENT_TOO_LARGE"],
      ["undeclared.md", "DOCUMENT_TOO_LARGE"],
    ]);
  });

  it("opens nothing that is archived, to read it or to try it", async () => {
    const opened: string[] = [];
    const { open } = bucketOf([{ name: "old.md", unreadable: frozen }, { name: "new.md" }], opened);
    const target = await sync(new MemoryTarget(), open);
    expect(target.failures.map(({ ref, error }) => [ref, error.message])).toEqual([["old.md", "It is archived."]]);
    const { summary } = await checkBucket(config, "docs", words, open, testContext());
    expect(summary).toContain("holds 2 objects");
    expect(opened).toEqual(["new.md", "new.md"]);
  });
});
