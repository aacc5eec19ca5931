import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { storageToHtml } from "@anneal/connectors/atlassian/storage-to-html";
import { renderIssue } from "@anneal/connectors/atlassian/render-issue";
import { writeThread } from "@anneal/connectors/microsoft/thread-document";
import { nobody } from "@anneal/core/access/acl";
import type { Element, ParsedDocument } from "@anneal/core/document/element";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import type { Scope } from "@anneal/db/database";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { upsertDocument } from "@anneal/db/queries/synced-documents";
import { getDocument } from "@anneal/db/queries/documents";
import { createRun } from "@anneal/db/queries/loop";
import { startTestDatabase, type TestDatabase } from "@anneal/db/testing/start-test-database";
import { ParserPool } from "@anneal/documents/parser-pool";
import { openFolderStore } from "@anneal/objects/folder-store";
import type { ObjectStore } from "@anneal/objects/object-store";
import { asyncLocalStorage, type Context } from "@temporalio/activity";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createMainContentExtractor, type MainContentExtractor } from "../drivers/main-content.ts";
import { createCleanActivities } from "./clean.ts";

// HTML as its source brings it, through the extractor that the worker runs and no stand-in for it.

const sentence = (index: number) =>
  `Sentence number ${index} says that the pump at station ${index} was inspected by the team and needs a new gasket before winter.`;
const steps = "<ol><li>Open the lower valve slowly.</li><li>Call the porter and wait for his word.</li></ol>";
const body = `<h2>Purpose</h2><p>${sentence(1)} ${sentence(2)}</p><h2>Steps for the night shift</h2>${steps}<p>${sentence(3)}</p>`;

let handle: TestDatabase;
let objects: ObjectStore;
let scope: Scope;
let parsers: ParserPool;
let mainContent: MainContentExtractor;

beforeAll(async () => {
  handle = await startTestDatabase();
  objects = openFolderStore(join(handle.dir, "objects"));
  const { id } = await saveWorkspace(handle.db, { slug: randomUUID(), name: "Test" });
  scope = { db: handle.db, workspaceId: id };
  parsers = new ParserPool({ size: 1 });
  mainContent = createMainContentExtractor({
    python: process.env["ANNEAL_PYTHON"] || "python3",
    pythonPath: fileURLToPath(new URL("../../../sidecars/src", import.meta.url)),
  });
});
afterAll(async () => {
  mainContent?.close();
  await parsers?.close();
  await handle?.stop();
});

/** What the loop goes on with, of one document at an https address. */
async function cleanWhole(kind: string, html: string): Promise<ParsedDocument> {
  const sourceId = randomUUID();
  const source = { id: sourceId, name: sourceId, kind, config: {}, sealedSecrets: null, schedule: null };
  await saveSource(scope, { ...source, defaultAcl: nobody });
  const contentHash = createHash("sha256").update(html).digest("hex");
  const content = { contentHash, contentKey: `content/${contentHash}`, sizeBytes: Buffer.byteLength(html) };
  await objects.put(content.contentKey, Buffer.from(html));
  const facts = { ref: "1", uri: "https://acme.example/wiki/1", title: null, modifiedAt: null, acl: null };
  const item = { ...facts, mediaType: "text/html", sizeBytes: content.sizeBytes, fingerprint: contentHash };
  const { documentId } = await upsertDocument(scope, sourceId, item, content);

  const { cleanDocuments } = createCleanActivities({ db: handle.db, objects, parsers, mainContent });
  const runId = randomUUID();
  const settings = { ...loopSettingsSchema.parse({}), sourceIds: [sourceId] };
  await createRun(scope, { id: runId, workflowId: "w", startedBy: "ada", settings });
  const context = {
    info: { workflowExecution: { workflowId: "w", runId: "w" } },
    cancellationSignal: new AbortController().signal,
    heartbeat: () => undefined,
  } as unknown as Context;
  await asyncLocalStorage.run(context, () => cleanDocuments({ workspaceId: scope.workspaceId, runId, settings }));
  const { cleanKey } = await getDocument(scope, documentId);
  const chunks: Uint8Array[] = [];
  for await (const chunk of await objects.stream(cleanKey!)) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString("utf8")) as ParsedDocument;
}

const clean = async (kind: string, html: string): Promise<readonly Element[]> =>
  (await cleanWhole(kind, html)).elements;

const textsOf = (elements: readonly Element[], kind: Element["kind"]) =>
  elements.flatMap((element) => (element.kind === kind ? [element.text] : []));

it.each(["web", "sharepoint"])("gives a page of %s a title of plain text", async (kind) => {
  const html = `<html><head><title>Pumps &amp; <b>valves</b></title></head><body><main>${body}</main></body></html>`;
  expect((await cleanWhole(kind, html)).title).toBe("Pumps & valves");
});

it("keeps the headings, lists, tables and short lines of a Confluence page", async () => {
  const table =
    "<table><tbody><tr><th>Door</th><th>Keeper</th></tr><tr><td>North</td><td>Bob</td></tr></tbody></table>";
  const elements = await clean(
    "confluence",
    storageToHtml("Runbook", `${body}<p>Approved.</p>${table}<p>Approved.</p>`),
  );
  expect(textsOf(elements, "heading")).toEqual(["Purpose", "Steps for the night shift"]);
  expect(textsOf(elements, "list").join()).toMatch(/Open the lower valve slowly\.[^]*Call the porter/);
  expect(textsOf(elements, "table").join()).toContain("| North | Bob |");
  expect(textsOf(elements, "paragraph").filter((text) => text === "Approved.")).toHaveLength(2);
});

it("keeps every message of a Teams thread, with its writer and its list", async () => {
  const message = (id: string, name: string, content: string) => ({
    id,
    createdDateTime: `2026-01-0${id}T10:00:00Z`,
    messageType: "message",
    from: { user: { id: name, displayName: name } },
    body: { contentType: "html", content },
  });
  const thread = writeThread("General", [
    message("1", "Ann", `<div>${sentence(1)} ${sentence(2)}</div>`),
    message("2", "Bob", "<div><div>The manual lies on the upper shelf.</div></div>"),
    message("3", "Eve", "Thanks.<ul><li>Shelf noted</li></ul>"),
  ]);
  const elements = await clean("teams", thread!.html);
  const text = elements.map((element) => element.text).join("\n");
  expect(text).toMatch(/^General: [^]*Ann, [^]*station 1[^]*Bob, [^]*upper shelf[^]*Eve, [^]*Thanks\.[^]*Shelf noted$/);
  expect(textsOf(elements, "list").join()).toContain("Shelf noted");
});

it("keeps the headings and short comments of a Jira issue", async () => {
  const comments = ["Fixed.", "Fixed."].map((text, index) => ({
    created: `2026-01-0${index + 1}T10:00:00.000+0000`,
    author: { displayName: "Ann" },
    body: text,
  }));
  const issue = { key: "OPS-1", fields: { summary: "Pump leaks", description: `${sentence(1)} ${sentence(2)}` } };
  const html = renderIssue(issue as never, comments as never, (text) => `<p>${text}</p>`);
  const elements = await clean("jira", html);
  expect(textsOf(elements, "heading")).toEqual(["Comments", "Ann 2026-01-01", "Ann 2026-01-02"]);
  expect(textsOf(elements, "paragraph").filter((text) => text === "Fixed.")).toHaveLength(2);
});

it("reads an HTML file at an https address whole, also where a website's page would be cut", async () => {
  const remark = '<div class="comments"><p>Reviewed by the night porter.</p></div>';
  const html = `<html><body><div id="content">${body}</div>${remark}</body></html>`;
  const said = async (kind: string) => (await clean(kind, html)).map(({ text }) => text).join("\n");
  expect(await said("web")).not.toContain("night porter");
  expect(await said("sharepoint")).toMatch(/Steps for[^]*Call the porter[^]*night porter/);
});

it.each([
  { holder: "a main", before: "<main>", after: "</main>" },
  { holder: "nothing", before: "", after: "" },
  { holder: "a div", before: "<div>", after: "</div>" },
  { holder: "a div of a class", before: '<div class="page">', after: "</div>" },
  { holder: "a section", before: "<section>", after: "</section>" },
])("keeps the headings, lists and repeated lines of a page held by $holder, and no menu", async ({ before, after }) => {
  const menu = ["Home", "Products", "Careers"].map((label) => `<li><a href="/m">${label}</a></li>`).join("");
  const text = `${before}<p>Approved.</p>${body}<p>Approved.</p>${after}`;
  const html = `<html><head><title>Runbook</title></head><body><nav><ul>${menu}</ul></nav>${text}<footer><p>Imprint</p></footer></body></html>`;
  const elements = await clean("web", html);
  expect(textsOf(elements, "heading")).toEqual(["Purpose", "Steps for the night shift"]);
  expect(textsOf(elements, "list").join()).toContain("Call the porter and wait for his word.");
  expect(textsOf(elements, "paragraph").filter((paragraph) => paragraph === "Approved.")).toHaveLength(2);
  expect(elements.map((element) => element.text).join()).not.toMatch(/Careers|Imprint/);
});
