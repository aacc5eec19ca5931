import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createIdentity } from "#server/auth/identity.ts";
import type { RoutingTable } from "#server/gateway/routing-table.ts";
import { listModels, retrieveModel } from "./list-models.ts";

const identity = createIdentity({
  userId: crypto.randomUUID(),
  email: "ada@example.com",
  workspaceId: crypto.randomUUID(),
  role: "member",
  via: { kind: "session" },
});
const made = new Date("2026-05-04T03:02:01.500Z");
const madeAt = new Map([["support-aa", made]]);

const tableFor = (...granted: string[]) =>
  ({
    routesOf: async () => ({
      aliases: new Map([["support@production", "support-aa"]]),
      datasets: new Map([["support@production", crypto.randomUUID()]]),
      assistants: [],
    }),
    replicas: async () => [{ baseModel: "org/base" }],
    resourcesOf: async () => new Set(granted),
    // One document that everybody of the workspace may read.
    teachersOf: async () => [{ acl: { allow: identity.principals, deny: [] }, deleted: false }],
  }) as unknown as RoutingTable;

beforeAll(() => {
  vi.stubEnv("ANNEAL_DATABASE_URL", "postgres://nowhere/none");
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
});
afterAll(() => vi.unstubAllEnvs());

it("lists what may be called, the embedding model with the base model's permission", async () => {
  const idsFor = async (...granted: string[]) =>
    (await listModels(tableFor(...granted), identity, madeAt)).map(({ id }) => id);
  expect(await idsFor()).toEqual([]);
  expect(await idsFor("adapter:support")).toEqual(["support@production"]);
  expect(await idsFor("base", "adapter:*")).toEqual(["org/base", "support@production", "all-MiniLM-L6-v2"]);
});

it("says of an adapter when its version was made, in whole seconds", async () => {
  const [listed] = await listModels(tableFor("adapter:support"), identity, madeAt);
  expect(listed?.created).toBe(Math.floor(made.getTime() / 1000));
});

it("gives each listed model alone, and of others says no more than that there is none", async () => {
  const table = tableFor("base", "adapter:support");
  for (const each of await listModels(table, identity, madeAt))
    expect(await retrieveModel(table, identity, each.id, madeAt)).toEqual(each);
  expect((await retrieveModel(table, identity, "base", madeAt)).id).toBe("org/base");
  for (const name of ["support@production", "all-MiniLM-L6-v2", "org/base"])
    await expect(retrieveModel(tableFor(), identity, name, madeAt)).rejects.toMatchObject({ code: "MODEL_UNKNOWN" });
});
