import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { describeConnector } from "../../conformance/describe-connector.ts";
import { describePermissions } from "../../conformance/describe-permissions.ts";
import { createNotesHarness } from "../../conformance/fake-notes/notes-harness.ts";
import { startFakeNotes, type FakeNotes } from "../../conformance/fake-notes/start-fake-notes.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { progressOf } from "../../conformance/progress-of.ts";
import { startApi } from "../../conformance/start-api.ts";
import { testContext } from "../../conformance/test-context.ts";
import { graphqlConfigSchema, type GraphqlConfig, type RestSecrets } from "./config.ts";
import { graphqlConnector } from "./graphql-connector.ts";

const context = testContext();

const listedText = { content: ["{text}"] };
const askedText = {
  contentQuery: ["query ($id: ID!) { note(id: $id) { text } }"],
  contentField: "note.text",
};
const readers = {
  allow: "readers.allow",
  deny: "readers.deny",
  anyone: "everyone",
  groupsQuery: ["{ groups { id members } }"],
  groupItems: "groups",
};

function configOf(notes: { origin: string }, config: Partial<GraphqlConfig> = listedText): GraphqlConfig {
  return graphqlConfigSchema.parse({
    url: `${notes.origin}/graphql`,
    query: [
      "query ($first: Int!, $after: String, $since: DateTime) {",
      "  notes(first: $first, after: $after, since: $since) {",
      "    edges { node { id name updatedAt text readers { allow deny } } }",
      "    pageInfo { hasNextPage endCursor }",
      "  }",
      "}",
    ],
    variables: ["first=2"],
    items: "notes.edges[*].node",
    pageInfo: "notes.pageInfo",
    id: "id",
    title: "{name}",
    updatedAt: "updatedAt",
    allowPrivateHosts: true,
    ...config,
  });
}

const clientCredentials = (notes: { origin: string }): Partial<GraphqlConfig> => ({
  signIn: "oauth2",
  user: "portal",
  tokenUrl: `${notes.origin}/oauth/token`,
  scope: "notes.read",
});
const clientSecrets = { clientSecret: "client+secret" };

for (const [name, config] of Object.entries({
  "the text in the list": listedText,
  "a query for each text": askedText,
})) {
  const textIsListed = config === listedText;
  describeConnector(
    `graphql, with ${name},`,
    () =>
      createNotesHarness(
        graphqlConnector,
        clientSecrets,
        (notes) => configOf(notes, { ...config, ...clientCredentials(notes) }),
        { textIsListed, credential: "Bearer first", tokenExpires: true, cursorExpires: true },
      ),
    "http",
  );
  const create = () =>
    createNotesHarness(graphqlConnector, {}, (notes) => configOf(notes, { ...config, ...readers }), { textIsListed });
  describePermissions(`graphql, with ${name},`, create, create);
}

describeConnector(
  "graphql, asked for what changed since,",
  () =>
    createNotesHarness(graphqlConnector, {}, (notes) => configOf(notes, { ...listedText, since: "since" }), {
      textIsListed: true,
      cursorExpires: true,
      asksSince: true,
    }),
  "http",
);

describe("a GraphQL source", () => {
  let notes: FakeNotes;
  beforeEach(async () => {
    notes = await startFakeNotes();
    for (let at = 0; at < 5; at += 1) notes.put(`${at}.md`, `Note ${at}`, "2026-01-05T10:00:00.000Z");
  });
  afterEach(() => notes.stop());

  const sync = async (target: MemoryTarget, config: GraphqlConfig, secrets: RestSecrets = {}) => {
    await target.apply(
      graphqlConnector.read({ config, secrets, cursor: target.cursor, known: target.known(), context }),
    );
    return target;
  };
  const errorOf = async (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: unknown) => error,
    );

  it("names an item whose id is a longer number than a number can hold by its digits, and a variable too", async () => {
    const variables: unknown[] = [];
    const api = await startApi(({ body }) => {
      const asked = JSON.parse(body) as { variables: Record<string, unknown> };
      variables.push(asked.variables);
      if ("id" in asked.variables) return { body: { data: { note: { text: "Alpha" } } } };
      return { body: '{"data":{"notes":[{"id":1234567890123456789,"updatedAt":"2026-01-05"}]}}' };
    });
    const config = configOf(api, {
      ...askedText,
      variables: ["first=2", "board=9007199254740993"],
      items: "notes",
      pageInfo: null,
    });
    const target = await sync(new MemoryTarget(), config).finally(api.stop);
    expect(target.contents()).toEqual({ "1234567890123456789": "Alpha" });
    expect(variables).toEqual([{ first: 2, board: "9007199254740993" }, { id: "1234567890123456789" }]);
  });

  it("tells how many items there are where a field of the answer says so", async () => {
    const target = await sync(new MemoryTarget(), configOf(notes, { ...listedText, total: "notes.totalCount" }));
    expect(new Set(progressOf(target).map(({ total }) => total))).toEqual(new Set([5]));
    const untold = await sync(new MemoryTarget(), configOf(notes));
    expect(new Set(progressOf(untold).map(({ total }) => total))).toEqual(new Set([null]));
  });

  it("begins anew when the cursor goes stale half-way, and deletes nothing", async () => {
    const target = await sync(new MemoryTarget(), configOf(notes));
    notes.staleCursors = 1;
    await sync(target, configOf(notes));
    expect(target.changes.map(({ type }) => type)).not.toContain("delete");
    notes.staleCursors = 100;
    expect(await errorOf(sync(target, configOf(notes)))).toMatchObject({ code: "INVALID_INPUT" });
    expect(target.documents.size).toBe(5);
  });

  it("ends, and says what to correct, where a service ignores its cursor and names another one each time", async () => {
    // It would come to an end, so that this one does whatever is done.
    const most = 30;
    const api = await startApi(() => {
      const asked = api.requests.length;
      const nodes = ["a", "b"].map((id) => ({ id, asked }));
      const pageInfo = { hasNextPage: asked < most, endCursor: `c${asked}` };
      return { body: { data: { items: { nodes, pageInfo } } } };
    });
    const config = graphqlConfigSchema.parse({
      url: api.origin,
      query: [
        "query($after: String) { items(after: $after) { nodes { id asked } pageInfo { hasNextPage endCursor } } }",
      ],
      items: "items.nodes",
      pageInfo: "items.pageInfo",
      id: "id",
      allowPrivateHosts: true,
    });
    try {
      expect(await errorOf(sync(new MemoryTarget(), config))).toMatchObject({
        code: "INVALID_INPUT",
        message: "The service gives the same items again and again.",
      });
    } finally {
      await api.stop();
    }
    expect(api.requests.length).toBeLessThan(6);
  });

  it("takes an answer that holds a part and an error for no answer", async () => {
    const target = await sync(new MemoryTarget(), configOf(notes));
    const partial = {
      data: { notes: { edges: [], pageInfo: { hasNextPage: false, endCursor: null } } },
      errors: [{ message: "The index is being rebuilt.", extensions: { code: "INTERNAL_SERVER_ERROR" } }],
    };
    notes.faults = [{ body: partial }];
    expect(await errorOf(sync(target, configOf(notes)))).toMatchObject({ code: "SOURCE_UNREACHABLE" });
    expect(target.documents.size).toBe(5);
  });

  it.each([
    ["UNAUTHENTICATED", "SOURCE_CREDENTIALS"],
    ["FORBIDDEN", "SOURCE_FORBIDDEN"],
    ["THROTTLED", "RATE_LIMITED"],
    ["GRAPHQL_VALIDATION_FAILED", "INVALID_INPUT"],
    [undefined, "INVALID_INPUT"],
  ])("tells an error of code %s in the service's own words", async (code, expected) => {
    notes.faults = [{ body: { errors: [{ message: "Not today.", extensions: { code } }] } }];
    const { error } = await graphqlConnector.check(configOf(notes), {}, context);
    expect(error).toMatchObject({ code: expected });
    expect(error?.message).toContain("Not today.");
  });

  it("says in check() which field a query asks for that is not there, or where the page info is missing", async () => {
    const said = async (config: Partial<GraphqlConfig>) =>
      (await graphqlConnector.check(configOf(notes, config), {}, context)).error?.message;
    expect(await said({ query: ["{ nothing { id } }"] })).toContain('Cannot query field "nothing"');
    expect(await said({ pageInfo: "pageInfo" })).toContain('no page info at "pageInfo"');
    expect(await said({ items: "notes.nodes" })).toContain('no list at "notes.nodes"');
    expect(await said(listedText)).toBeUndefined();
  });

  it("asks with a variable only for what changed since", async () => {
    const config = configOf(notes, { ...listedText, since: "since" });
    const target = await sync(new MemoryTarget(), config);
    notes.put("new.md", "New", "2026-02-01T10:00:00.000Z");
    notes.requests.length = 0;
    await sync(target, config);
    expect(target.opened).toEqual(["new.md"]);
    expect(notes.requests.map(({ body }) => (JSON.parse(body) as { variables: unknown }).variables)).toEqual([
      { first: 2, since: "2026-01-05T09:50:00.000Z" },
      expect.objectContaining({ first: 2, since: "2026-01-05T09:50:00.000Z", after: expect.any(String) }),
      expect.objectContaining({ after: expect.any(String) }),
    ]);
  });

  it("sends its credentials with every query", async () => {
    notes.credential = "Bearer hunter2";
    const config = configOf(notes, { ...askedText, signIn: "bearer" });
    const target = await sync(new MemoryTarget(), config, { token: "hunter2" });
    expect(target.documents.size).toBe(5);
    expect(await errorOf(sync(new MemoryTarget(), config, { token: "wrong" }))).toMatchObject({
      code: "SOURCE_CREDENTIALS",
    });
  });

  it("asks for a new token where the service says with status 200 that the old one has expired", async () => {
    notes.credential = "Bearer first";
    const config = configOf(notes, { ...askedText, ...clientCredentials(notes) });
    const secrets = clientSecrets;
    const known = new MemoryTarget().known();
    const refs: string[] = [];
    for await (const change of graphqlConnector.read({ config, secrets, cursor: null, known, context })) {
      if (change.type === "upsert") refs.push(change.item.ref);
      if (change.type !== "checkpoint" || notes.credential === "Bearer second") continue;
      notes.credential = "Bearer second";
      notes.faults = [{ body: { errors: [{ message: "Expired.", extensions: { code: "UNAUTHENTICATED" } }] } }];
    }
    expect(refs.length).toBe(5);
    expect(notes.requests.filter(({ path }) => path === "/oauth/token").length).toBe(2);
  });
});
