import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { locatePython } from "@anneal/local-stack/python-env";
import { QdrantClient } from "@qdrant/js-client-rest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const collection = "chunks";
const ids = {
  open: "0e2f6f3e-1111-4d6a-9d2b-000000000001",
  denied: "0e2f6f3e-1111-4d6a-9d2b-000000000002",
  hidden: "0e2f6f3e-1111-4d6a-9d2b-000000000003",
};
const mayRead = {
  must: [{ key: "acl_allow", match: { any: ["group:staff"] } }],
  must_not: [
    { key: "acl_deny", match: { any: ["group:staff"] } },
    { key: "hidden", match: { value: true } },
  ],
};

describe("the official Qdrant client against the vectors sidecar", () => {
  let dir: string;
  let server: ChildProcess;
  let client: QdrantClient;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "anneal-vectors-"));
    const { python, variables } = locatePython(process.env);
    server = spawn(python, ["-m", "sidecars.vectors", "--port", "0", "--dir", dir, "--exit-with-parent"], {
      env: { ...process.env, ...variables },
      stdio: ["pipe", "pipe", "inherit"],
    });
    if (!server.stdout) throw new Error("the server has no output");
    const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
    client = new QdrantClient({ url: line.replace("ready ", "") });
  });

  afterAll(async () => {
    server.stdin?.end();
    if (server.exitCode === null) await once(server, "exit");
    await rm(dir, { recursive: true, force: true });
  });

  it("creates a collection with a dense and a BM25 vector and indexes what filters read", async () => {
    expect((await client.versionInfo()).version).toMatch(/^1\.19\./);
    await client.createCollection(collection, {
      vectors: { dense: { size: 3, distance: "Cosine" } },
      sparse_vectors: { bm25: { modifier: "idf" } },
    });
    for (const [field_name, field_schema] of [
      ["acl_allow", "keyword"],
      ["acl_deny", "keyword"],
      ["hidden", "bool"],
      ["hidden_in", "keyword"],
    ] as const) {
      await client.createPayloadIndex(collection, { field_name, field_schema, wait: true });
    }
    expect(await client.collectionExists(collection)).toEqual({ exists: true });
    const info = await client.getCollection(collection);
    expect(info.status).toBe("green");
    expect(Object.keys(info.payload_schema).sort()).toEqual(["acl_allow", "acl_deny", "hidden", "hidden_in"]);
    expect(info.config.params.sparse_vectors).toEqual({ bm25: { modifier: "idf" } });
  });

  it("finds in both legs only what the reader may see, and not what is hidden", async () => {
    const sparse = { indices: [4_294_967_295, 12], values: [1.5, 0.5] };
    await client.upsert(collection, {
      wait: true,
      points: [
        {
          id: ids.open,
          vector: { dense: [0.9, 0.1, 0], bm25: sparse },
          payload: { acl_allow: ["group:staff"], acl_deny: [], hidden: false },
        },
        {
          id: ids.denied,
          vector: { dense: [1, 0, 0], bm25: sparse },
          payload: { acl_allow: ["group:staff"], acl_deny: ["group:staff"], hidden: false },
        },
        {
          id: ids.hidden,
          vector: { dense: [1, 0, 0], bm25: sparse },
          payload: { acl_allow: ["group:staff"], acl_deny: [], hidden: true, hidden_in: ["wiki"] },
        },
      ],
    });
    const { points } = await client.query(collection, {
      prefetch: [
        { using: "dense", query: [1, 0, 0], filter: mayRead, limit: 20 },
        { using: "bm25", query: sparse, filter: mayRead, limit: 20 },
      ],
      query: { fusion: "rrf" },
      filter: mayRead,
      limit: 10,
      with_payload: true,
      with_vector: ["dense"],
    });
    expect(points.map(({ id, score }) => ({ id, score }))).toEqual([{ id: ids.open, score: 1 }]);
    expect(points[0]?.payload).toEqual({ acl_allow: ["group:staff"], acl_deny: [], hidden: false });

    // A search of some sources leaves out what is hidden in one of them, and finds what is hidden elsewhere only.
    const countIn = async (...sources: string[]) => {
      const must_not = [mayRead.must_not[0]!, { key: "hidden_in", match: { any: sources } }];
      return (await client.count(collection, { filter: { must: mayRead.must, must_not }, exact: true })).count;
    };
    expect(await countIn("mail", "wiki")).toBe(1);
    expect(await countIn("mail")).toBe(2);
  });

  it("changes who may read without touching the vectors", async () => {
    const [before] = await client.retrieve(collection, { ids: [ids.denied], with_vector: true });
    await client.setPayload(collection, {
      points: [ids.denied],
      payload: { acl_deny: [] },
      wait: true,
    });
    expect((await client.count(collection, { filter: mayRead, exact: true })).count).toBe(2);
    const [after] = await client.retrieve(collection, { ids: [ids.denied], with_vector: true });
    expect(after?.vector).toEqual(before?.vector);
    await client.overwritePayload(collection, {
      filter: { must: [{ has_id: [ids.denied] }] },
      payload: { acl_allow: [] },
    });
    expect((await client.count(collection, { filter: mayRead, exact: true })).count).toBe(1);
  });

  it("scrolls, deletes and reports errors as the client expects them", async () => {
    const page = await client.scroll(collection, { limit: 2, with_payload: false });
    expect(page.points.map(({ id }) => id)).toEqual([ids.open, ids.denied]);
    expect(page.next_page_offset).toBe(ids.hidden);
    await client.delete(collection, {
      wait: true,
      filter: { must: [{ key: "hidden", match: { value: true } }] },
    });
    await client.delete(collection, { wait: true, points: [ids.denied] });
    expect((await client.count(collection)).count).toBe(1);
    await expect(client.getCollection("missing")).rejects.toMatchObject({
      status: 404,
      data: { status: { error: "Not found: Collection `missing` doesn't exist!" } },
    });
    await expect(client.upsert(collection, { points: [{ id: 1, vector: { dense: [1, 2] } }] })).rejects.toMatchObject({
      status: 400,
    });
    expect(await client.deleteCollection(collection)).toBe(true);
    expect((await client.getCollections()).collections).toEqual([]);
  });
});
