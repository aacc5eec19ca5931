import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { startFakeGoogle, type FakeGoogle } from "../../conformance/fake-google/start-fake-google.ts";
import { longPath } from "../../conformance/long-names.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { gcsConfigSchema, type GcsConfig, type GcsSecrets } from "./config.ts";
import { gcsConnector } from "./gcs-connector.ts";

const context = testContext();

let google: FakeGoogle;
let secrets: GcsSecrets;
let bucketCount = 0;
beforeAll(async () => {
  google = await startFakeGoogle("archive@corp.example");
  google.pageSize = 3;
  secrets = { serviceAccountKey: google.tokens.keyFile() };
});
afterAll(() => google.stop());

const configOf = (config: Partial<GcsConfig>) =>
  gcsConfigSchema.parse({ bucket: "none", endpoint: google.endpoint, allowPrivateHosts: true, ...config });
const createBucket = () => {
  bucketCount += 1;
  const bucket = `documents-${bucketCount}`;
  google.buckets.buckets.set(bucket, new Map());
  return bucket;
};

describeConnector(
  "gcs",
  async () => {
    const { buckets } = google;
    const bucket = createBucket();
    const keyOf = (name: string) => `team/${name}`;
    const objects = () => buckets.buckets.get(bucket)!;
    const put = async (name: string, text: string) => buckets.put(bucket, keyOf(name), text);
    buckets.put(bucket, "other/outside.md", "not in the prefix");
    buckets.put(bucket, "team/guides/", "");
    return {
      connector: gcsConnector,
      config: configOf({ bucket, prefix: "team/" }),
      secrets,
      refOf: keyOf,
      put,
      async remove(name) {
        objects().delete(keyOf(name));
      },
      async move(from, to) {
        await put(to, objects().get(keyOf(from))!.content.toString());
        objects().delete(keyOf(from));
      },
      async breakItem(name) {
        const text = objects().get(keyOf(name))!.content.toString();
        await put(name, "not for you");
        objects().get(keyOf(name))!.isForbidden = true;
        return () => put(name, text);
      },
      async vanish() {
        const held = objects();
        buckets.buckets.delete(bucket);
        return async () => void buckets.buckets.set(bucket, held);
      },
      setClock: async (aheadMs) => void (buckets.aheadMs = aheadMs),
      // A name has at most 1,024 bytes, and no line break.
      names: {
        controls: "\t\u0001\u007f",
        longest: [longPath(1024 - "team/".length), longPath(1024 - "team/".length, "mixed")],
      },
      remote: {
        trouble: google.trouble,
        aboutAll: /\/token|\/o\?/,
        expireToken: () => google.tokens.expireAll(),
        staleCursor: (status) => void Object.assign(buckets, { staleCursors: 1, staleStatus: status }),
      },
      close: async () => {},
    };
  },
  "http",
);

describe("a bucket", () => {
  const sync = async (target: MemoryTarget, config: GcsConfig) => {
    await target.apply(gcsConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context }));
    return target;
  };

  it("is paged through to its end, whatever its objects' names hold", async () => {
    const bucket = createBucket();
    const names = ["a b/c.txt", "a%2Fb.txt", "größe 🚚.txt", "q?x=1&y#z.txt", "plus+.txt", "1.txt", "2.txt", "3.txt"];
    for (const name of names) google.buckets.put(bucket, name, `About ${name}`);
    const target = await sync(new MemoryTarget(), configOf({ bucket }));
    expect(target.contents()).toEqual(Object.fromEntries(names.map((name) => [name, `About ${name}`])));
  });

  it("reads an object whose name ends in a slash, where it is no folder's marker", async () => {
    const bucket = createBucket();
    google.buckets.put(bucket, "plans/", "");
    google.buckets.put(bucket, "notes/", "Minutes.");
    const target = await sync(new MemoryTarget(), configOf({ bucket }));
    expect(target.contents()).toEqual({ "notes%2F": "Minutes." });
  });

  it("reads an object again when the same text was written anew, for only the generation is compared", async () => {
    const bucket = createBucket();
    google.buckets.put(bucket, "a.txt", "Alpha");
    const target = await sync(new MemoryTarget(), configOf({ bucket }));
    google.buckets.put(bucket, "a.txt", "Alpha");
    await sync(target, configOf({ bucket }));
    expect(target.opened).toEqual(["a.txt"]);
  });

  it("says in check() what it holds under the prefix, folders' own markers left out", async () => {
    const bucket = createBucket();
    const summary = async () =>
      (await gcsConnector.check(configOf({ bucket, prefix: "a/" }), secrets, context)).summary;
    expect(await summary()).toBe(`"a/" in bucket "${bucket}" can be read and holds no object to read.`);
    google.buckets.put(bucket, "a/", "");
    for (const name of ["a/1.md", "b/2.md"]) google.buckets.put(bucket, name, "text");
    expect(await summary()).toBe(`"a/" in bucket "${bucket}" can be read and holds 1 object: a/1.md.`);
  });

  it("names what is wrong: no bucket, no key, no right to read what may be listed", async () => {
    const bucket = createBucket();
    google.buckets.put(bucket, "a.txt", "Alpha");
    const errorOf = async (config: Partial<GcsConfig>, given: GcsSecrets = secrets) =>
      (await gcsConnector.check(configOf(config), given, context)).error;
    expect(await errorOf({ bucket: "missing" })).toMatchObject({ code: "SOURCE_NOT_FOUND" });
    expect(await errorOf({ bucket }, {})).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect(await errorOf({ bucket, allowPrivateHosts: false })).toMatchObject({ code: "SOURCE_FORBIDDEN" });
    google.buckets.buckets.get(bucket)!.get("a.txt")!.isForbidden = true;
    expect(await errorOf({ bucket })).toMatchObject({
      code: "SOURCE_FORBIDDEN",
      action: expect.stringContaining("Storage Object Viewer"),
    });
  });
});
