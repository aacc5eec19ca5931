import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { findMotoPython, startMoto } from "@anneal/connectors/conformance/start-moto";
import { AnnealError } from "@anneal/core/errors";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openFolderStore } from "./folder-store.ts";
import { readAll, type ObjectStore } from "./object-store.ts";
import { openObjectStore } from "./open-object-store.ts";

const text = (value: string) => Buffer.from(value);
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing was refused",
    (error: unknown) => (error instanceof AnnealError ? error.code : String(error)),
  );

async function* inParts(parts: Uint8Array[], thenFail = false): AsyncGenerator<Uint8Array> {
  yield* parts;
  if (thenFail) throw new Error("the source broke off");
}

async function listAll(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of store.list(prefix)) keys.push(key);
  return keys.toSorted();
}

/** What every store keeps, whichever driver it is. */
function describeObjectStore(open: () => ObjectStore): void {
  it("gives back what was put, as a whole and as a stream, and says how large it is", async () => {
    const store = open();
    expect(await store.put("a/one", text("first"))).toEqual({ sizeBytes: 5 });
    expect(Buffer.from(await store.get("a/one")).toString()).toBe("first");
    expect(Buffer.from(await readAll(await store.stream("a/one"))).toString()).toBe("first");
    await store.put("a/one", text("second"));
    expect(Buffer.from(await store.get("a/one")).toString()).toBe("second");
    await store.put("a/none", new Uint8Array());
    expect(await store.get("a/none")).toHaveLength(0);
  });

  it("takes a stream of unknown length, larger than one part of an upload", async () => {
    const part = Buffer.alloc(1024 * 1024, 7);
    const parts = Array.from({ length: 11 }, () => part);
    const store = open();
    expect(await store.put("large", inParts(parts))).toEqual({ sizeBytes: 11 * part.length });
    let seen = 0;
    for await (const chunk of await store.stream("large")) {
      expect(chunk.every((byte) => byte === 7)).toBe(true);
      seen += chunk.byteLength;
    }
    expect(seen).toBe(11 * part.length);
  });

  it.each([
    ["at its start", [text("half")]],
    ["after a part was sent", [Buffer.alloc(6 * 1024 * 1024, 1)]],
  ])("keeps a put whole or absent when its source breaks off %s", async (_, parts) => {
    const store = open();
    await expect(store.put("broken/new", inParts(parts, true))).rejects.toThrow("the source broke off");
    expect(await store.exists("broken/new")).toBe(false);
    await store.put("broken/old", text("kept"));
    await expect(store.put("broken/old", inParts(parts, true))).rejects.toThrow("the source broke off");
    expect(Buffer.from(await store.get("broken/old")).toString()).toBe("kept");
    expect(await listAll(store, "broken")).toEqual(["broken/old"]);
  });

  it("has one of the bodies, never a mixture, when two put the same key at once", async () => {
    const bodies = [Buffer.alloc(300_000, 1), Buffer.alloc(200_000, 2)];
    const store = open();
    await Promise.all(bodies.map((body) => store.put("race", body)));
    const kept = Buffer.from(await store.get("race"));
    expect(bodies.some((body) => body.equals(kept))).toBe(true);
  });

  it("says NOT_FOUND for what is not there, before the first byte", async () => {
    const store = open();
    expect(await codeOf(store.get("not/there"))).toBe("NOT_FOUND");
    expect(await codeOf(store.stream("not/there"))).toBe("NOT_FOUND");
    expect(await store.exists("not/there")).toBe(false);
  });

  it("removes what is there, and does not mind what is not", async () => {
    const store = open();
    await store.put("b/gone", text("x"));
    await store.remove("b/gone");
    await store.remove("b/gone");
    expect(await store.exists("b/gone")).toBe(false);
  });

  it("lists a prefix as a folder: its keys at every depth, none of a neighbour's", async () => {
    const store = open();
    for (const key of ["c/one", "c/deep/er/two", "cd/three"]) await store.put(key, text(key));
    expect(await listAll(store, "c")).toEqual(["c/deep/er/two", "c/one"]);
    expect(await listAll(store, "empty")).toEqual([]);
  });

  it.each(["../x", "a/../../x", "/etc/passwd", "a//b", "", ".", "a/.", "a\\b", "a\0b", "a b", "ä"])(
    "refuses the key %j for every operation",
    async (key) => {
      const store = open();
      const operations = [
        () => store.put(key, text("x")),
        () => store.get(key),
        () => store.stream(key),
        () => store.exists(key),
        () => store.remove(key),
        () => listAll(store, key),
      ];
      for (const operation of operations) {
        expect(await codeOf((async () => operation())())).toBe("INVALID_INPUT");
      }
    },
  );
}

describe("a folder", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "anneal-objects-"));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  describeObjectStore(() => openObjectStore(pathToFileURL(join(dir, "with space")).href));

  it("refuses what would take the last room of the disk from the database, and keeps what it has", async () => {
    const root = join(dir, "nearly full");
    await openFolderStore(root).put("kept", text("old"));
    const store = openFolderStore(root, 2 ** 60);
    const refused = { code: "DISK_FULL", message: expect.stringMatching(/has \d+ MiB free, and the last \d+ MiB/) };
    await expect(store.put("kept", text("new"))).rejects.toMatchObject(refused);
    expect(Buffer.from(await store.get("kept")).toString()).toBe("old");
  });

  it("leaves no half-written file behind", async () => {
    const entries = await readdir(dir, { recursive: true });
    expect(entries.filter((name) => name.endsWith(".partial"))).toEqual([]);
  });
});

const python = findMotoPython();
describe.skipIf(python === null)("a bucket", () => {
  let stop: () => Promise<void>;
  let endpoint: string;
  const credentials = { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "us-east-1" };
  const before = { ...process.env };

  beforeAll(async () => {
    Object.assign(process.env, credentials);
    const moto = await startMoto(python!);
    ({ endpoint, stop } = moto);
    const client = new S3Client({ endpoint, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: "models" }));
  });
  afterAll(async () => {
    for (const name of Object.keys(credentials)) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
    await stop();
  });

  describeObjectStore(() => openObjectStore("s3://models/team/one", { s3Endpoint: endpoint }));

  it("keeps to its prefix", async () => {
    const [one, two] = ["one", "two"].map((name) =>
      openObjectStore(`s3://models/team/${name}`, { s3Endpoint: endpoint }),
    );
    await one!.put("same/key", text("one's"));
    expect(await two!.exists("same/key")).toBe(false);
  });

  it("pages through more keys than one answer holds", async () => {
    const store = openObjectStore("s3://models/many", { s3Endpoint: endpoint });
    const keys = Array.from({ length: 1003 }, (_, index) => `k/${String(index).padStart(4, "0")}`);
    for (let start = 0; start < keys.length; start += 50) {
      await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, text("x"))));
    }
    expect(await listAll(store, "k")).toEqual(keys);
  });
});

it("refuses an address that is neither", async () => {
  expect(await codeOf((async () => openObjectStore("ftp://host/dir"))())).toBe("INVALID_INPUT");
});
