import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type FakeApiServer, startFakeApiServer } from "./fake-api-server.fixture.ts";

/** The fake is held to what Kubernetes documents, so that what passes against it means something. */
let server: FakeApiServer;
beforeEach(async () => {
  server = await startFakeApiServer({ token: "t", namespaces: ["anneal"] });
});
afterEach(() => server.close());

const maps = "/api/v1/namespaces/anneal/configmaps";
type Answer = {
  code: number;
  headers: Headers;
  body: {
    metadata: {
      resourceVersion: string;
      uid: string;
      continue?: string;
      deletionTimestamp?: string;
      generation?: number;
    };
    items: { metadata: { name: string } }[];
    reason?: string;
    message?: string;
    data?: Record<string, string>;
  };
};

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: "Bearer t", "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { code: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] };
}

const map = (name: string, extra: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...extra },
  data: { key: "value" },
});

/** Lines of a watch as they come; ends when the connection does. */
async function watch(
  path: string,
): Promise<AsyncIterator<{ type: string; object: { kind: string; code?: number; metadata: { name?: string } } }>> {
  const response = await fetch(`${server.url}${path}${path.includes("?") ? "&" : "?"}watch=true`, {
    headers: { authorization: "Bearer t" },
  });
  expect(response.status).toBe(200);
  const lines = createInterface(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]));
  return (async function* () {
    for await (const line of lines)
      yield JSON.parse(line) as { type: string; object: { kind: string; metadata: { name?: string } } };
  })();
}

it("answers with a Status what it refuses: no credentials, no permission, nothing there, and again the same", async () => {
  expect(await ask("GET", maps, undefined, { authorization: "Bearer wrong" })).toMatchObject({
    code: 401,
    body: { reason: "Unauthorized" },
  });
  expect(await ask("GET", `${maps}/nobody`)).toMatchObject({ code: 404, body: { kind: "Status", reason: "NotFound" } });
  expect(await ask("GET", "/apis/no.such/v1/things")).toMatchObject({ code: 404 });
  expect((await ask("POST", maps, map("a"))).code).toBe(201);
  expect(await ask("POST", maps, map("a"))).toMatchObject({ code: 409, body: { reason: "AlreadyExists" } });
  expect(await ask("POST", "/api/v1/namespaces/other/configmaps", map("a"))).toMatchObject({ code: 404 });
  server.forbid("list configmaps");
  expect(await ask("GET", maps)).toMatchObject({ code: 403, body: { reason: "Forbidden" } });
});

it("refuses what its schema does not know, and what is not of its kind", async () => {
  expect(await ask("POST", maps, { ...map("a"), data: { key: 7 } })).toMatchObject({
    code: 422,
    body: { reason: "Invalid" },
  });
  expect(await ask("POST", maps, { ...map("a"), dat: {} })).toMatchObject({ code: 422 });
  expect(await ask("POST", maps, { ...map("a"), kind: "Secret" })).toMatchObject({ code: 400 });
});

it("lets nobody write over what he has not read", async () => {
  const { body } = await ask("POST", maps, map("a"));
  const { resourceVersion } = body.metadata;
  expect((await ask("PUT", `${maps}/a`, { ...map("a", { resourceVersion }), data: { key: "new" } })).code).toBe(200);
  expect(await ask("PUT", `${maps}/a`, map("a", { resourceVersion }))).toMatchObject({
    code: 409,
    body: { reason: "Conflict" },
  });
  expect(await ask("PUT", `${maps}/a`, map("a", { uid: "another" }))).toMatchObject({ code: 409 });
});

it("merges patches, applies whole objects for a named manager, and knows no other patch", async () => {
  await ask("POST", maps, map("a"));
  const merge = { "content-type": "application/merge-patch+json" };
  const merged = await ask("PATCH", `${maps}/a`, { data: { other: "x", key: null } }, merge);
  expect(merged.body.data).toEqual({ other: "x" });
  const apply = { "content-type": "application/apply-patch+yaml" };
  expect((await ask("PATCH", `${maps}/b`, map("b"), apply)).code).toBe(422);
  for (let times = 0; times < 2; times += 1) {
    expect((await ask("PATCH", `${maps}/b?fieldManager=anneal`, map("b"), apply)).body.data).toEqual({ key: "value" });
  }
  expect((await ask("PATCH", `${maps}/a`, [], { "content-type": "application/json-patch+json" })).code).toBe(415);
});

it("does not change what cannot be changed", async () => {
  const jobs = "/apis/batch/v1/namespaces/anneal/jobs";
  const spec = { template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "x" }] } } };
  await ask("POST", jobs, {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j" },
    spec: { ...spec, suspend: true },
  });
  const merge = { "content-type": "application/merge-patch+json" };
  expect((await ask("PATCH", `${jobs}/j`, { spec: { suspend: false } }, merge)).code).toBe(200);
  expect(await ask("PATCH", `${jobs}/j`, { spec: { completions: 3 } }, merge)).toMatchObject({ code: 422 });
});

it("lists in pages by labels and fields, and no further from a page that is too old", async () => {
  for (const name of ["a", "b", "c", "d"])
    await ask("POST", maps, map(name, { labels: { odd: String(name === "a" || name === "c") } }));
  const names = (answer: Answer) => answer.body.items.map((item) => item.metadata.name);
  expect(names(await ask("GET", `${maps}?labelSelector=odd%3Dtrue`))).toEqual(["a", "c"]);
  expect(names(await ask("GET", `${maps}?labelSelector=odd+in+(true,false),!even`))).toHaveLength(4);
  expect(names(await ask("GET", `${maps}?fieldSelector=metadata.name!%3Da`))).toEqual(["b", "c", "d"]);
  const first = await ask("GET", `${maps}?limit=3`);
  expect(names(first)).toEqual(["a", "b", "c"]);
  expect(names(await ask("GET", `${maps}?limit=3&continue=${first.body.metadata.continue}`))).toEqual(["d"]);
  server.store.compact();
  await ask("POST", maps, map("e"));
  server.store.compact();
  expect(await ask("GET", `${maps}?limit=3&continue=${first.body.metadata.continue}`)).toMatchObject({
    code: 410,
    body: { reason: "Expired" },
  });
});

it("tells a watch what happens from the version that it knows, with bookmarks, and ends it when that is too old", async () => {
  const listed = await ask("GET", maps);
  const since = listed.body.metadata.resourceVersion;
  await ask("POST", maps, map("a"));
  const events = await watch(`${maps}?resourceVersion=${since}&allowWatchBookmarks=true`);
  expect((await events.next()).value).toMatchObject({ type: "ADDED", object: { metadata: { name: "a" } } });
  expect((await events.next()).value).toMatchObject({ type: "BOOKMARK" });
  await ask("DELETE", `${maps}/a`);
  expect((await events.next()).value).toMatchObject({ type: "DELETED", object: { metadata: { name: "a" } } });
  server.expireWatches();
  expect((await events.next()).value).toMatchObject({ type: "ERROR", object: { code: 410 } });
  expect((await events.next()).done).toBe(true);
  expect((await ask("GET", `${maps}?watch=true&resourceVersion=${since}`)).code).toBe(410);
});

it("keeps what has a finalizer, and in the foreground what others depend on", async () => {
  await ask("POST", maps, map("kept", { finalizers: ["example.com/hold"] }));
  await ask("DELETE", `${maps}/kept`);
  expect((await ask("GET", `${maps}/kept`)).body.metadata.deletionTimestamp).toBeDefined();
  const owner = await ask("POST", maps, map("owner"));
  const reference = {
    apiVersion: "v1",
    kind: "ConfigMap",
    name: "owner",
    uid: owner.body.metadata.uid,
    blockOwnerDeletion: true,
  };
  await ask("POST", maps, map("owned", { ownerReferences: [reference], finalizers: ["example.com/hold"] }));
  await ask("DELETE", `${maps}/owner?propagationPolicy=Foreground`);
  server.settle();
  for (const name of ["owner", "owned"])
    expect((await ask("GET", `${maps}/${name}`)).body.metadata.deletionTimestamp).toBeDefined();
  await ask(
    "PATCH",
    `${maps}/owned`,
    { metadata: { finalizers: [] } },
    { "content-type": "application/merge-patch+json" },
  );
  server.settle();
  for (const name of ["owner", "owned"]) expect((await ask("GET", `${maps}/${name}`)).code).toBe(404);
});

it("clears away in the background what lost its owner, and leaves it when it was orphaned", async () => {
  for (const [propagation, left] of [
    ["Background", 404],
    ["Orphan", 200],
  ] as const) {
    const owner = await ask("POST", maps, map("owner"));
    const reference = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.body.metadata.uid };
    await ask("POST", maps, map("owned", { ownerReferences: [reference] }));
    await ask("DELETE", `${maps}/owner?propagationPolicy=${propagation}`);
    server.settle();
    expect((await ask("GET", `${maps}/owned`)).code).toBe(left);
  }
});

it("says how long to wait when it is asked too often", async () => {
  server.throttle(1);
  const refused = await ask("GET", maps);
  expect(refused).toMatchObject({ code: 429, body: { reason: "TooManyRequests" } });
  expect(refused.headers.get("retry-after")).toBe("1");
  expect((await ask("GET", maps)).code).toBe(200);
});
