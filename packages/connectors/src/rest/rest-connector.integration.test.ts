import { inspect } from "node:util";
import { defaultDeletionPolicy, type DeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { createNotesHarness } from "../../conformance/fake-notes/notes-harness.ts";
import { startFakeNotes, type FakeNotes } from "../../conformance/fake-notes/start-fake-notes.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { startApi } from "../../conformance/start-api.ts";
import { deletionsPass, testContext } from "../../conformance/test-context.ts";
import { restConfigSchema, type RestConfig, type RestSecrets } from "./config.ts";
import { restConnector } from "./rest-connector.ts";

const context = testContext();

const listedText = { title: "{name}", content: ["{text}"] };
const askedText = { title: "{name}", contentPath: "notes/{id}/text", updatedAt: "updatedAt" };
const paginations = {
  "pages by number": { pagination: "page", ...listedText },
  "an offset": { pagination: "offset", ...askedText },
  "a cursor in the answer": { pagination: "cursor", next: "meta.next_cursor", ...askedText },
  "a Link header": { pagination: "link", ...listedText },
  "the next address in the answer": { pagination: "next", next: "meta.next", ...askedText },
} as const;
const byCursor = paginations["a cursor in the answer"];
type SignInCase = Pick<Parameters<typeof createNotesHarness>[3], "tokenExpires" | "cursorExpires"> & {
  credential: string;
  secrets: RestSecrets;
  signIn(notes: { origin: string }): Partial<RestConfig>;
};
const readers = {
  allow: "readers.allow",
  deny: "readers.deny",
  anyone: "everyone",
  groups: "groups",
  groupItems: "data.groups",
};

function configOf(notes: { origin: string }, config: Partial<RestConfig> = byCursor): RestConfig {
  return restConfigSchema.parse({
    url: `${notes.origin}/api`,
    list: "notes",
    items: "data.items",
    id: "id",
    allowPrivateHosts: true,
    ...config,
  });
}

const clientCredentials = (notes: { origin: string }) => ({
  signIn: "oauth2" as const,
  user: "portal",
  tokenUrl: `${notes.origin}/oauth/token`,
  scope: "notes.read",
});
/** Each way to go through a list signs in in a way of its own. */
const signIns: Record<keyof typeof paginations, SignInCase> = {
  "pages by number": {
    credential: "Basic cmVhZGVyOmh1bnRlcjI=",
    secrets: { password: "hunter2" },
    signIn: () => ({ signIn: "basic", user: "reader" }),
  },
  "an offset": {
    credential: "hunter2",
    secrets: { token: "hunter2" },
    signIn: () => ({ signIn: "header", keyName: "X-API-Key" }),
  },
  "a cursor in the answer": {
    credential: "Bearer first",
    secrets: { clientSecret: "client+secret" },
    signIn: clientCredentials,
    tokenExpires: true,
    cursorExpires: true,
  },
  "a Link header": {
    credential: "Bearer hunter2",
    secrets: { token: "hunter2" },
    signIn: () => ({ signIn: "bearer" }),
    cursorExpires: true,
  },
  "the next address in the answer": {
    credential: "hunter2",
    secrets: { token: "hunter2" },
    signIn: () => ({ signIn: "parameter", keyName: "key" }),
    cursorExpires: true,
  },
};

for (const [name, config] of Object.entries(paginations)) {
  const { secrets, signIn, ...options } = signIns[name as keyof typeof paginations];
  describeConnector(
    `rest, with ${name},`,
    () =>
      createNotesHarness(restConnector, secrets, (notes) => configOf(notes, { ...config, ...signIn(notes) }), {
        textIsListed: "content" in config,
        ...options,
      }),
    "http",
  );
}
describeConnector(
  "rest, asked for what changed since,",
  () =>
    createNotesHarness(restConnector, {}, (notes) => configOf(notes, { ...byCursor, since: "updated_since" }), {
      textIsListed: false,
      cursorExpires: true,
      asksSince: true,
    }),
  "http",
);
for (const [name, config] of [
  ["the text in the list", paginations["a Link header"]],
  ["a request for each text", byCursor],
] as const) {
  const textIsListed = config !== byCursor;
  const create = () =>
    createNotesHarness(restConnector, {}, (notes) => configOf(notes, { ...config, ...readers }), { textIsListed });
  describePermissions(`rest, with ${name},`, create, create);
}

describe("a REST source", () => {
  let notes: FakeNotes;
  beforeEach(async () => {
    notes = await startFakeNotes();
  });
  afterEach(() => notes.stop());

  const sync = async (
    target: MemoryTarget,
    config: RestConfig,
    secrets: RestSecrets = {},
    deletions: DeletionPolicy = deletionsPass,
  ) => {
    const request = { config, secrets, cursor: target.cursor, known: target.known() };
    await target.apply(restConnector.read({ ...request, context: { ...context, deletions } }));
    return target;
  };
  const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );
  const putMany = (count: number) => {
    for (let at = 0; at < count; at += 1) notes.put(`${at}.md`, `Note ${at}`);
  };
  const lists = () => notes.requests.filter(({ path }) => path === "/api/notes");

  it("begins anew when the cursor goes stale half-way, and misses, repeats and deletes nothing", async () => {
    putMany(7);
    const target = await sync(new MemoryTarget(), configOf(notes));
    notes.put("7.md", "Note 7");
    notes.requests.length = 0;
    notes.staleCursors = 1;
    await sync(target, configOf(notes));
    expect(target.documents.size).toBe(8);
    expect(target.opened).toEqual(["7.md"]);
    expect(lists().filter(({ query }) => !query.has("cursor")).length).toBe(2);
  });

  it("tells how many items there are where a field of the answer says so, and lists nothing again for that field", async () => {
    putMany(5);
    const totals = (target: MemoryTarget) => new Set(progressOf(target).map(({ total }) => total));
    const told = { ...byCursor, total: "meta.total" };
    expect(totals(await sync(new MemoryTarget(), configOf(notes, told)))).toEqual(new Set([5]));
    expect(totals(await sync(new MemoryTarget(), configOf(notes)))).toEqual(new Set([null]));
    const elsewhere = { ...byCursor, total: "meta.nothing" };
    expect(totals(await sync(new MemoryTarget(), configOf(notes, elsewhere)))).toEqual(new Set([null]));

    const since = { ...byCursor, updatedAt: "updatedAt", since: "updated_since" };
    const followed = await sync(new MemoryTarget(), configOf(notes, since));
    notes.requests.length = 0;
    await sync(followed, configOf(notes, { ...since, total: "meta.total" }));
    expect(lists().length).toBeGreaterThan(0);
    expect(lists().filter(({ query }) => !query.has("updated_since") && !query.has("cursor"))).toEqual([]);
  });

  it("gives up when every cursor is stale, and deletes nothing", async () => {
    putMany(5);
    const target = await sync(new MemoryTarget(), configOf(notes));
    notes.staleCursors = 100;
    expect(await errorOf(sync(target, configOf(notes)))).toMatchObject({ status: 410 });
    expect(target.documents.size).toBe(5);
  });

  it("does not take a refusal of the first page for a stale cursor", async () => {
    putMany(3);
    notes.faults = [{ status: 410 }];
    expect(await errorOf(sync(new MemoryTarget(), configOf(notes)))).toMatchObject({ status: 410 });
    expect(lists().length).toBe(1);
  });

  it("asks only for what changed since, and finds deletions when it lists everything", async () => {
    const old = "2026-01-05T10:00:00.000Z";
    for (const name of ["a.md", "b.md", "c.md"]) notes.put(name, `About ${name}`, old);
    notes.put("d.md", "About d.md", "2026-02-01T10:00:00.000Z");
    const config = configOf(notes, { ...byCursor, since: "updated_since" });
    const target = await sync(new MemoryTarget(), config);
    expect(target.documents.size).toBe(4);

    notes.notes.delete("a.md");
    notes.put("b.md", "Changed", "2026-03-01T10:00:00.000Z");
    notes.requests.length = 0;
    await sync(target, config);
    // Ten minutes before the newest, for what the service commits late.
    expect(lists().map(({ query }) => query.get("updated_since"))).toEqual(["2026-02-01T09:50:00.000Z"]);
    expect(target.opened).toEqual(["b.md"]);
    expect([...target.documents.keys()]).toContain("a.md");

    target.cursor = { ...target.cursor!, completeAtMs: Date.now() - 25 * 3_600_000 };
    await sync(target, config);
    expect([...target.documents.keys()].sort()).toEqual(["b.md", "c.md", "d.md"]);
    expect(target.opened).toEqual([]);
  });

  it("lists everything when a person confirms deletions, and each time while they wait for it", async () => {
    for (const name of ["a.md", "b.md", "c.md", "d.md"]) notes.put(name, `About ${name}`);
    const config = configOf(notes, { ...byCursor, since: "updated_since" });
    const target = await sync(new MemoryTarget(), config);
    for (const name of ["a.md", "b.md"]) notes.notes.delete(name);
    const heldBack = () => target.failures.map(({ error }) => error.code);
    await sync(target, config, {}, defaultDeletionPolicy);
    expect(heldBack()).toEqual([]);
    target.cursor = { ...target.cursor!, completeAtMs: Date.now() - 25 * 3_600_000 };
    for (let syncs = 0; syncs < 3; syncs += 1) {
      await sync(target, config, {}, defaultDeletionPolicy);
      expect(heldBack()).toEqual(["CONFLICT"]);
    }
    // Also where none is due, as when a release before this one has held them back.
    target.cursor = { ...target.cursor!, completeAtMs: Date.now() };
    await sync(target, config, {}, { ...defaultDeletionPolicy, confirmed: true });
    expect([...target.documents.keys()]).toEqual(["c.md", "d.md"]);
    await sync(target, config, {}, defaultDeletionPolicy);
    expect(lists().at(-1)?.query.has("updated_since")).toBe(true);
    expect(heldBack()).toEqual([]);
  });

  it("asks again for everything since a change that could not be read", async () => {
    notes.put("a.md", "A", "2026-01-05T10:00:00.000Z");
    const config = configOf(notes, { ...byCursor, since: "updated_since" });
    const target = await sync(new MemoryTarget(), config);
    notes.put("b.md", "B", "2026-02-01T10:00:00.000Z");
    notes.put("c.md", "C", "2026-03-01T10:00:00.000Z");
    notes.broken.add("b.md");
    await sync(target, config);
    expect([...target.documents.keys()]).toEqual(["a.md", "c.md"]);
    notes.broken.clear();
    await sync(target, config);
    expect(target.opened).toEqual(["b.md"]);
  });

  it("does not take a clock that runs ahead for the time of its next question", async () => {
    notes.put("future.md", "From tomorrow", "2100-01-01T00:00:00.000Z");
    const config = configOf(notes, { ...byCursor, since: "updated_since" });
    const target = await sync(new MemoryTarget(), config);
    notes.put("now.md", "From now");
    await sync(target, config);
    expect(target.opened).toEqual(["now.md"]);
  });

  it.each([5, -2])("lists everything when the service's clock, %i hours from ours, was set back", async (hours) => {
    const hourMs = 3_600_000;
    notes.aheadMs = hours * hourMs;
    for (const name of ["a.md", "b.md"]) notes.put(name, `About ${name}`);
    const config = configOf(notes, { ...byCursor, since: "updated_since" });
    const target = await sync(new MemoryTarget(), config);

    notes.aheadMs -= 3 * hourMs;
    notes.put("b.md", "Changed, and yet earlier");
    notes.put("c.md", "New, and yet earlier");
    notes.notes.delete("a.md");
    await sync(target, config);
    expect(target.opened).toEqual(["b.md", "c.md"]);
    expect(target.contents()).toEqual({ "b.md": "Changed, and yet earlier", "c.md": "New, and yet earlier" });

    notes.put("c.md", "Changed by the clock as it is now");
    notes.requests.length = 0;
    await sync(target, config);
    expect(target.opened).toEqual(["c.md"]);
    expect(lists().every(({ query }) => query.has("updated_since"))).toBe(true);
  });

  it("lists everything again when the settings change", async () => {
    notes.put("a.md", "A", "2026-01-05T10:00:00.000Z");
    notes.put("b.md", "B", "2026-03-05T10:00:00.000Z");
    const config = configOf(notes, { ...paginations["a Link header"], updatedAt: "updatedAt", since: "updated_since" });
    const target = await sync(new MemoryTarget(), config);
    await sync(target, { ...config, content: ["# {name}", "{text}"] });
    expect(target.contents()).toEqual({ "a.md": "# a.md\n\nA\n", "b.md": "# b.md\n\nB\n" });
  });

  it.each([
    [3, []],
    [6, ["5.md"]],
  ])("looks twice before it deletes what slipped through between pages (of %i)", async (count, expected) => {
    putMany(count);
    const config = configOf(notes, paginations["pages by number"]);
    const target = await sync(new MemoryTarget(), config);
    const stream = restConnector.read({ config, secrets: {}, cursor: target.cursor, known: target.known(), context });
    const deleted: string[] = [];
    let checkpoints = 0;
    for await (const change of stream) {
      // After the first page, everything behind it moves up by one: 2.md comes to stand on the page that was read.
      if (change.type === "checkpoint" && (checkpoints += 1) === 1) {
        for (const gone of ["0.md", "5.md"]) notes.notes.delete(gone);
      }
      if (change.type === "delete") deleted.push(change.ref);
    }
    expect(deleted).toEqual(expected);
  });

  it("fails two items of one id and those without any, reads the others and deletes nothing", async () => {
    const api = await startApi(() => ({
      body: [{ id: 1, t: "a" }, { id: 1, t: "b" }, { t: "c" }, { id: {} }, { id: 2 }],
    }));
    const config = restConfigSchema.parse({ url: api.origin, id: "id", allowPrivateHosts: true });
    const target = new MemoryTarget();
    target.documents.set("gone", { item: { ref: "gone", fingerprint: "x" } as never, text: "" });
    await sync(target, config).finally(api.stop);
    expect(target.failures.map(({ ref, error }) => [ref, error.code])).toEqual([
      ["1", "CONFLICT"],
      ["items without an id", "INVALID_INPUT"],
    ]);
    expect([...target.documents.keys()]).toEqual(["gone", "1", "2"]);
    expect(JSON.parse(target.documents.get("1")!.text)).toEqual({ id: 1, t: "a" });
  });

  it("tells items apart whose ids are longer numbers than a number can hold, and asks for each one's own content", async () => {
    const texts = new Map([
      ["1234567890123456789", "Alpha"],
      ["1234567890123456790", "Beta"],
      ["7", "Gamma"],
    ]);
    const api = await startApi(({ path, query }) => {
      if (path !== "/items") return { body: texts.get(path.slice("/texts/".length)) ?? "Somebody else's" };
      // The cursor is such a number, too, and the time and the readers are numbers of the usual length.
      const [from, next] = [Number(query.get("cursor") === "9007199254740993"), "9007199254740993"];
      const items = [...texts.keys()].slice(2 * from, 2 * from + 2);
      const listed = items.map((id) => `{"id":${id},"t":1767225600123,"readers":[${id},12]}`);
      return { body: `{"items":[${listed.join()}],"next":${from === 0 ? next : null}}` };
    });
    const config = restConfigSchema.parse({
      url: api.origin,
      list: "items",
      items: "items",
      pagination: "cursor",
      next: "next",
      id: "id",
      updatedAt: "t",
      allow: "readers",
      contentPath: "texts/{id}",
      contentType: "text/plain",
      allowPrivateHosts: true,
    });
    const target = await sync(new MemoryTarget(), config).finally(api.stop);
    expect(target.failures).toEqual([]);
    expect(target.contents()).toEqual(Object.fromEntries(texts));
    const { item } = target.documents.get("1234567890123456790")!;
    expect(item.modifiedAt).toBe("2026-01-01T00:00:00.123Z");
    expect(item.acl?.allow.map(({ id }) => id)).toEqual(["1234567890123456790", "12"]);
  });

  it.each<[string, RestSecrets, Partial<RestConfig>]>([
    ["Basic cmVhZGVyOmh1bnRlcjI=", { password: "hunter2" }, { signIn: "basic", user: "reader" }],
    ["Bearer hunter2", { token: "hunter2" }, { signIn: "bearer" }],
    ["hunter2", { token: "hunter2" }, { signIn: "header", keyName: "X-API-Key" }],
    ["hunter2", { token: "hunter2" }, { signIn: "parameter", keyName: "key" }],
  ])("signs in with %j", async (credential, secrets, signIn) => {
    putMany(3);
    notes.credential = credential;
    const config = configOf(notes, { ...byCursor, ...signIn });
    expect((await sync(new MemoryTarget(), config, secrets)).documents.size).toBe(3);
    notes.credential = "another";
    const { error } = await restConnector.check(config, secrets, context);
    expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect(inspect(error, { depth: 10 })).not.toMatch(/hunter2|cmVhZGVy/);
    expect((await restConnector.check(config, {}, context)).error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
  });

  it("says what to correct when its client credentials are refused, and repeats no secret", async () => {
    const config = configOf(notes, { ...byCursor, ...clientCredentials(notes) });
    const { error } = await restConnector.check(config, { clientSecret: "wrong-secret" }, context);
    expect(error).toMatchObject({ code: "SOURCE_CREDENTIALS" });
    expect(error?.message).toContain("invalid_client");
    expect(inspect(error, { depth: 10 })).not.toContain("wrong-secret");
  });

  it("says in check() what it would read and what is missing", async () => {
    putMany(3);
    const check = async (config: Partial<RestConfig>) => restConnector.check(configOf(notes, config), {}, context);
    const { origin } = notes;
    expect((await check(byCursor)).summary).toBe(
      `${new URL(origin).host} can be read and holds at least 2 items: 0.md and 1.md.`,
    );
    const { checks } = await check({ ...byCursor, allow: "readers.allow" });
    expect(checks.map(({ capability, status }) => [capability, status])).toEqual([
      ["read", "ok"],
      ["changes", "ok"],
      ["permissions", "warning"],
      ["groups", "warning"],
    ]);
    const said = async (config: Partial<RestConfig>) => (await check(config)).error?.message;
    expect(await said({ items: "data.notes" })).toContain('has no list at "data.notes"; it has data, meta');
    expect(await said({ id: "number" })).toContain('no usable id at "number"');
    expect(await said({ list: "nothing" })).toContain("has nothing at this address");
    expect(await said({ ...byCursor, pageParameter: "marker" })).toContain("the same cursor");
    expect(await said({ ...paginations["pages by number"], pageParameter: "p" })).toContain("the same page");
  });

  it("gives no address but the web's to a citation", async () => {
    notes.put("a.md", "A");
    notes.put("javascript:alert(1)", "B");
    const target = await sync(new MemoryTarget(), configOf(notes, { uri: "{id}" }));
    const uris = [...target.documents.values()].map(({ item }) => item.uri);
    expect(uris).toEqual([`${notes.origin}/a.md`, `${notes.origin}/api#javascript%3Aalert(1)`]);
  });

  it.each(["page", "offset", "cursor"] as const)(
    "ends, and says what to correct, where a service ignores its %s and says something else of its items each time",
    async (pagination) => {
      // It would come to an end, so that this one does whatever is done.
      const most = 30;
      const api = await startApi(() => {
        const views = api.requests.length;
        const items = ["a", "b"].map((id) => ({ id, views }));
        return { body: { items: views < most ? items : [], next: views < most ? `c${views}` : null } };
      });
      const config = restConfigSchema.parse({
        url: api.origin,
        items: "items",
        id: "id",
        pagination,
        next: "next",
        pageParameter: "p",
        allowPrivateHosts: true,
      });
      const target = new MemoryTarget();
      try {
        await expect(sync(target, config)).rejects.toMatchObject({
          code: "INVALID_INPUT",
          message: "The service gives the same items again and again.",
          action: expect.stringContaining("Check the pagination"),
        });
      } finally {
        await api.stop();
      }
      expect(api.requests.length).toBeLessThan(5);
      expect([...target.documents.keys()]).toEqual(["a", "b"]);
    },
  );

  it("goes on past a page that another one pushed all its items to, and past pages that are empty", async () => {
    const pages = [["a", "b"], ["a", "b"], [], [], [], ["c"]];
    const api = await startApi(({ query }) => {
      const at = Number(query.get("p") ?? 0);
      const items = (pages[at] ?? []).map((id) => ({ id, at }));
      return { body: { items, next: at + 1 < pages.length ? at + 1 : null } };
    });
    const config = restConfigSchema.parse({
      url: api.origin,
      items: "items",
      id: "id",
      pagination: "cursor",
      next: "next",
      pageParameter: "p",
      allowPrivateHosts: true,
    });
    try {
      const target = await sync(new MemoryTarget(), config);
      expect([...target.documents.keys()]).toEqual(["a", "b", "c"]);
    } finally {
      await api.stop();
    }
  });

  it("takes texts that a service cut in the middle of a character into addresses as far as they go", async () => {
    const half = String.raw`\ud83d`;
    const api = await startApi(({ path }) => ({
      body:
        path === "/items"
          ? `{"items":[{"id":"a${half}","slug":"plan-${half}","t":1767225600},{"id":"b","slug":"b","t":1767225600}]}`
          : path,
    }));
    const config = (uri: string) =>
      restConfigSchema.parse({
        url: api.origin,
        list: "items",
        items: "items",
        id: "id",
        updatedAt: "t",
        uri,
        contentPath: "texts/{slug}",
        contentType: "text/plain",
        allowPrivateHosts: true,
      });
    try {
      const target = await sync(new MemoryTarget(), config("pages/{slug}"));
      expect(target.failures).toEqual([]);
      expect(Object.values(target.contents())).toEqual(["/texts/plan-%EF%BF%BD", "/texts/b"]);
      const addresses = [...target.documents.values()].map(({ item }) => item.uri);
      expect(addresses).toEqual([`${api.origin}/pages/plan-%EF%BF%BD`, `${api.origin}/pages/b`]);
      const unnamed = await sync(new MemoryTarget(), config("ftp:{slug}"));
      expect(unnamed.documents.size).toBe(2);
    } finally {
      await api.stop();
    }
  });

  it("shows to nobody what denies a group that the list of groups does not tell", async () => {
    const config = configOf(notes, { ...byCursor, ...readers, since: "updated_since" });
    notes.pageSize = 3;
    notes.groups.set("interns", ["eve@acme.example"]);
    for (const denied of ["interns", "temps", "eve@acme.example"]) {
      notes.put(denied, denied, "2026-01-05T10:00:00.000Z");
      Object.assign(notes.notes.get(denied)!, { allow: ["everyone"], deny: [denied] });
    }
    const target = await sync(new MemoryTarget(), config);
    const shown = () => [...target.documents].flatMap(([ref, { item }]) => (item.acl?.allow.length === 0 ? [] : [ref]));
    expect(shown()).toEqual(["eve@acme.example", "interns"]);
    const { checks } = await restConnector.check(config, {}, context);
    expect(checks.find(({ capability }) => capability === "permissions")).toMatchObject({
      status: "warning",
      message: expect.stringContaining("1 of 3 items name no reader, or deny a group whose members"),
    });
    expect(target.documents.get("interns")?.item.acl?.deny).toMatchObject([{ kind: "group", id: "interns" }]);
    // Also in a sync that would only ask for what changed since.
    notes.groups.delete("interns");
    await sync(target, config);
    expect(shown()).toEqual(["eve@acme.example"]);
    notes.groups.set("interns", ["temps", "eve@acme.example"]);
    await sync(target, config);
    expect(shown()).toEqual(["eve@acme.example"]);
    notes.groups.set("temps", []);
    await sync(target, config);
    expect(shown()).toEqual(["eve@acme.example", "interns", "temps"]);
    await sync(target, { ...config, groups: null });
    expect(shown()).toEqual(["eve@acme.example"]);
    await sync(target, { ...config, groups: null, deny: null });
    expect(shown()).toEqual(["eve@acme.example", "interns", "temps"]);
  });

  it("keeps groups that are read in another way apart, and half-named denials shut", async () => {
    notes.put("a.md", "A");
    notes.groups.set("staff", ["ann@acme.example"]);
    Object.assign(notes.notes.get("a.md")!, {
      allow: ["staff, all", "staff"],
      deny: [{ email: "bob@acme.example" }, {}],
    });
    const aclOf = async (config: Partial<RestConfig>) =>
      (await sync(new MemoryTarget(), configOf(notes, { ...byCursor, ...readers, ...config }))).documents.get("a.md")!
        .item.acl!;
    expect(await aclOf({ deny: "readers.deny[*].email" })).toEqual({ allow: [], deny: [] });
    const one = await aclOf({ deny: null });
    expect(one.allow.map(({ kind, id }) => [kind, id])).toEqual([
      ["group", "staff, all"],
      ["group", "staff"],
    ]);
    const other = await aclOf({ deny: null, groups: "other-groups" });
    expect(other.allow[1]?.tenant).not.toBe(one.allow[1]?.tenant);
  });

  it.each([
    [{ url: "https://user:hunter2@desk.example/" }, "url"],
    [{ pagination: "next" }, "next"],
    [{ items: "a..b" }, "items"],
    [{ title: "{" }, "title"],
    [{ parameters: ["no-value"] }, "parameters"],
    [{ contentPath: "{id}" }, "updatedAt"],
    [{ contentPath: "{id}", updatedAt: "t", content: ["{text}"] }, "content"],
    [{ since: "since" }, "updatedAt"],
    [{ deny: "denied" }, "allow"],
    [{ signIn: "oauth2", user: "portal" }, "tokenUrl"],
    [{ id: "" }, "id"],
  ])("refuses the settings %j where they were made", (settings, field) => {
    const parsed = restConfigSchema.safeParse({ url: "https://desk.example", id: "id", ...settings });
    expect(parsed.error?.issues.map(({ path }) => path[0])).toEqual([field]);
  });
});
