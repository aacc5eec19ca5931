import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { APIRequestContext } from "@playwright/test";
import { expect, openPage, test } from "./portal-test.ts";

// What is wrong is said in the same words at the API and on the page: code, what happened, what to do.

type Wrong = { code: string; message: string; action: string };
const api = "/api/w/default/trpc";
const runLimitMs = 120_000;
test.describe.configure({ mode: "serial", timeout: runLimitMs + 60_000 });

async function mutate<Answer>(request: APIRequestContext, procedure: string, input: object): Promise<Answer> {
  const response = await request.post(`${api}/${procedure}`, { data: { json: input } });
  const answer = (await response.json()) as { result: { data: { json: Answer } } };
  expect(response.ok(), JSON.stringify(answer)).toBe(true);
  return answer.result.data.json;
}

/** Runs the loop by the API until it fails. */
async function runUntilFailed(request: APIRequestContext, settings: object): Promise<{ runId: string; error: Wrong }> {
  const { runId } = await mutate<{ runId: string }>(request, "loop.start", settings);
  const input = encodeURIComponent(JSON.stringify({ json: { runId } }));
  let error: Wrong | null = null;
  await expect(async () => {
    const response = await request.get(`${api}/loop.get?input=${input}`);
    const { result } = (await response.json()) as {
      result: { data: { json: { status: string; error: Wrong | null } } };
    };
    expect(result.data.json.status).toBe("failed");
    error = result.data.json.error;
  }).toPass({ timeout: runLimitMs });
  expect(error).toMatchObject({ message: expect.stringMatching(/\.$/), action: expect.stringMatching(/\.$/) });
  return { runId, error: error! };
}

async function addFolder(request: APIRequestContext, name: string, path: string): Promise<string> {
  const source = { name, kind: "file", config: { path }, audience: "members", schedule: null };
  return (await mutate<{ sourceId: string }>(request, "connect.create", source)).sourceId;
}

test("a missing folder: on the run's page and on its source's", async ({ page, request }) => {
  const sourceId = await addFolder(request, "nowhere", "/nowhere/at/all");
  const { runId, error } = await runUntilFailed(request, { sourceIds: [sourceId] });
  expect(error.code).toBe("SOURCE_NOT_FOUND");
  for (const path of [`/runs/${runId}`, `/sources/${sourceId}`]) {
    await openPage(page, path);
    await expect(page.getByText(error.message).first()).toBeVisible();
    await expect(page.getByText(error.action).first()).toBeVisible();
  }
  await mutate(request, "connect.remove", { sourceId });
});

test("bad documents: each with its reason beside the run and on its own page", async ({ page, request }) => {
  const folder = await mkdtemp(join(tmpdir(), "anneal-e2e-bad-"));
  await writeFile(join(folder, "good.md"), "# Parking\n\nResidents of the old town may apply for a parking permit.\n");
  await writeFile(join(folder, "cut-off.pdf"), `%PDF-1.7\n${"1 0 obj << /Type /Catalog >> ".repeat(20)}`);
  const sourceId = await addFolder(request, "half bad", folder);
  const { runId, error } = await runUntilFailed(request, {
    sourceIds: [sourceId],
    datasetName: "half-bad",
    generatedPassages: 0,
  });
  expect(error.code).toBe("DATASET_EMPTY");
  await openPage(page, `/runs/${runId}`);
  await expect(page.getByText(error.message).first()).toBeVisible();
  await expect(page.getByText(error.action).first()).toBeVisible();
  await openPage(page, `/runs/${runId}?stage=clean`);
  await expect(page.getByText("cut-off.pdf").first()).toBeVisible();
  await expect(page.getByText("DOCUMENT_DAMAGED").first()).toBeVisible();
  await openPage(page, "/documents?q=cut-off&status=quarantined");
  await page.getByRole("link", { name: "cut-off.pdf" }).click();
  await expect(page.getByText("DOCUMENT_DAMAGED").first()).toBeVisible();
  await mutate(request, "connect.remove", { sourceId });
  await rm(folder, { recursive: true });
});

for (const [what, call, status, code] of [
  [
    "settings that are none",
    { procedure: "loop.start", body: '{"json":{"training":{"rank":-1}}}' },
    400,
    "INVALID_INPUT",
  ],
  ["a body that is no JSON", { procedure: "loop.start", body: "{" }, 400, "INVALID_INPUT"],
  ["a procedure that there is not", { procedure: "loop.stop", body: "{}" }, 404, "NOT_FOUND"],
  [
    "an unknown run",
    { procedure: "loop.cancel", body: '{"json":{"runId":"00000000-0000-4000-8000-000000000000"}}' },
    404,
    "NOT_FOUND",
  ],
] as const)
  test(`the API refuses ${what} in one sentence`, async ({ request }) => {
    const response = await request.post(`${api}/${call.procedure}`, {
      headers: { "content-type": "application/json" },
      data: Buffer.from(call.body),
    });
    const { error } = (await response.json()) as { error: { json: { message: string; data: { report: Wrong } } } };
    expect(response.status()).toBe(status);
    expect(error.json.data.report).toMatchObject({ code, action: expect.stringMatching(/\.$/) });
    // A stack's lines, with their line breaks as JSON spells them.
    expect(JSON.stringify(error)).not.toMatch(/\\n\s+at /);
  });
