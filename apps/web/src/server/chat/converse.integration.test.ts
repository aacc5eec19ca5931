import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Scope } from "@anneal/db/database";
import { saveUser, saveWorkspace } from "@anneal/db/queries/access";
import { createConversation, getConversation, saveAssistant, type Assistant } from "@anneal/db/queries/chat";
import { saveCollection } from "@anneal/db/queries/indexing";
import type { Replica } from "@anneal/db/queries/serving";
import { createIdentity } from "#server/auth/identity.ts";
import { isAnswering, prepareTurn, type Question } from "#server/chat/converse.ts";
import type { MemberContext } from "#server/context.ts";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import type { RoutingTable } from "#server/gateway/routing-table.ts";

let database: TestDatabase;
let context: MemberContext;
let assistant: Assistant;
let table: RoutingTable;

beforeAll(async () => {
  database = await startTestDatabase();
  const { db } = database;
  const workspace = await saveWorkspace(db, { slug: "converse", name: "Converse" });
  const user = await saveUser(db, { email: "ada@example.com", name: "Ada", passwordHash: null });
  const scope: Scope = { db, workspaceId: workspace.id };
  const facts = { userId: user.id, email: user.email, workspaceId: workspace.id };
  context = { db, scope, identity: createIdentity({ ...facts, role: "member", via: { kind: "session" } }) };
  const kept = { embeddingModel: "tiny", dimensions: 4, settings: {} };
  const collection = await saveCollection(scope, kept);
  const asked = { name: "helpdesk", model: "base", collectionId: collection.id, instructions: "", settings: {} };
  assistant = await saveAssistant(scope, asked);
  table = {
    routesOf: async () => ({ aliases: new Map(), datasets: new Map(), assistants: [assistant] }),
    resourcesOf: async () => new Set(["assistant:*"]),
    teachersOf: async () => [],
    replicas: async () => [{ baseModel: "tiny" } as Replica],
    begin: () => () => undefined,
  };
});

afterAll(() => database?.stop());

let conversationId: string;
beforeEach(async () => {
  const { userId } = context.identity;
  const begun = { userId, assistantId: assistant.id, title: "Opening hours" };
  conversationId = (await createConversation(context.scope, begun)).id;
});

const ask = (question: Partial<Question> = {}) =>
  prepareTurn(table, context, {
    conversationId,
    assistantId: assistant.id,
    question: "When do you open?",
    trial: false,
    ...question,
  });

it("takes one question of a conversation at a time, also when two come at the same moment", async () => {
  const asked = await Promise.allSettled([ask(), ask(), ask()]);
  expect(asked.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected", "rejected"]);
  for (const each of asked)
    if (each.status === "rejected") expect(each.reason).toMatchObject({ code: "ALREADY_RUNNING" });
  const { messages } = await getConversation(context.scope, context.identity.userId, conversationId);
  expect(messages).toHaveLength(1);
  expect(isAnswering(context.identity.userId, conversationId)).toBe(true);
});

it("is free for the next question when one was refused", async () => {
  await expect(ask({ retryMessageId: crypto.randomUUID() })).rejects.toMatchObject({ code: "CONFLICT" });
  expect(isAnswering(context.identity.userId, conversationId)).toBe(false);
  await ask();
});

it("is nobody's business but its person's", async () => {
  const stranger = createIdentity({ ...context.identity, userId: crypto.randomUUID() });
  await ask();
  const asked = { conversationId, assistantId: assistant.id, question: "When?", trial: false };
  const refused = prepareTurn(table, { ...context, identity: stranger }, asked);
  await expect(refused).rejects.toMatchObject({ code: "NOT_FOUND" });
});
