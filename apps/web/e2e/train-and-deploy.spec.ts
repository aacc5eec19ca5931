import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Download, Page } from "@playwright/test";
import { e2eEnv } from "./env.ts";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";
import { stickDeployment } from "./stick-deployment.ts";

// One story, in its order: the adapter that the stack learned is trained again, and what that makes is served.
const { assistant: adapter, apiKey, stateDir } = e2eEnv();
type Overview = { result: { data: { json: { runs: unknown[] } } } };
// A bound on hanging, not on speed: loading the base model, a handful of steps and a swap, on a busy processor without
// instructions for bfloat16.
const runLimitMs = 600_000;
test.describe.configure({ mode: "serial", timeout: 2 * runLimitMs });

const sheet = (page: Page) => page.getByRole("dialog");

async function openNewestTraining(page: Page): Promise<void> {
  await openPage(page, "/training");
  const ofDataset = page
    .getByRole("table", { name: "Trainings" })
    .getByRole("row")
    .filter({ hasText: `${adapter} v` });
  await ofDataset.first().press("Enter");
  await expect(page).toHaveURL(/\/training\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { level: 1, name: /^Training/ })).toBeVisible();
}

async function openAdapter(page: Page): Promise<void> {
  await openPage(page, "/adapters");
  await page.getByRole("link", { name: adapter, exact: true }).click();
  await expect(page.locator("main header").getByRole("heading", { level: 1, name: adapter })).toBeVisible();
}

async function bytesOf(download: Download): Promise<Buffer> {
  return readFile(await download.path());
}

test("a finished training shows what it answered at its evaluations, beside the base model", async ({ page }) => {
  await openNewestTraining(page);
  const samples = page.locator("section").filter({ has: page.getByRole("heading", { name: "Samples" }) });
  await expect(samples.getByText("Expected").first()).toBeVisible();
  await expect(samples.getByText("Base model").first()).toBeVisible();
  await expect(samples.getByText(/^Step \d+$/).first()).toBeVisible();
  await samples.getByRole("slider", { name: "Evaluation" }).press("Home");
  await expect(samples.getByText(/^Step \d+$/)).toHaveCount(0);
  await expect(page.getByText(/mean of the last \d+ steps; first/)).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
});

test("what no engine could serve is refused in the form, before anything runs", async ({ page, consoleErrors }) => {
  await openNewestTraining(page);
  await page.getByRole("button", { name: "Train again with changes" }).click();
  await sheet(page).getByLabel("Rank").fill("64");
  await expect(sheet(page).getByText(/^Was \d+$/)).toBeVisible();
  await sheet(page).getByRole("button", { name: "Train", exact: true }).click();
  const refusal = sheet(page).getByRole("alert");
  await expect(refusal).toContainText("rank 64 is above the engine's limit of 16");
  await expect(refusal).toContainText("ADAPTER_UNSERVEABLE");
  expect(await seriousFindings(page)).toEqual([]);
  // The browser itself notes the refused request.
  consoleErrors.splice(0);
});

test("the API refuses the same in the same words, and no run begins", async ({ request }) => {
  const headers = { authorization: `Bearer ${apiKey}` };
  const runs = async () =>
    ((await (await request.get("/api/w/default/trpc/loop.overview", { headers })).json()) as Overview).result.data.json
      .runs;
  const before = (await runs()).length;
  for (const [training, code, sentence] of [
    [{ method: "dora" }, "ADAPTER_UNSERVEABLE", "The engine cannot serve DoRA adapters."],
    [{ method: "full" }, "ADAPTER_UNSERVEABLE", /^A full fine-tuning makes a model of its own/],
    [{ rank: 17 }, "ADAPTER_UNSERVEABLE", /rank 17 is above the engine's limit of 16/],
  ] as const) {
    const answer = await request.post("/api/w/default/trpc/loop.start", { headers, data: { json: { training } } });
    expect(answer.ok()).toBe(false);
    const { error } = (await answer.json()) as { error: { json: { data: { report: unknown } } } };
    expect(error.json.data.report).toMatchObject({
      code,
      message: typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
      action: expect.stringContaining("Train with"),
    });
  }
  expect(await runs()).toHaveLength(before);
});

test("a training that is made again with changes can be stopped and resumed, and is served under another alias", async ({
  page,
}) => {
  await openNewestTraining(page);
  const earlier = page.url();
  await page.getByRole("button", { name: "Train again with changes" }).click();
  await sheet(page).getByLabel("Rank").fill("8");
  // Fewer than several passes have over a dataset whose questions a model writes, some more or less of them each time.
  await sheet(page).getByLabel("Epochs").fill("4");
  await sheet(page).getByLabel("Steps at most").fill("10");
  await sheet(page).getByRole("button", { name: "Train", exact: true }).click();
  await expect(page).toHaveURL(/\/runs\//);

  // The run comes to its training when it has been through what is before it.
  await expect(async () => {
    await openNewestTraining(page);
    expect(page.url()).not.toBe(earlier);
  }).toPass({ timeout: runLimitMs });
  const steps = page.getByRole("region", { name: "Figures" }).getByText(/^\d+ of 10$/);
  await expect(steps).toHaveText(/^[1-9] of 10$/, { timeout: runLimitMs });
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await sheet(page).getByRole("button", { name: "Stop training" }).click();
  await expect(page.getByText("Stopped", { exact: true })).toBeVisible({ timeout: runLimitMs });

  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page).toHaveURL(/\/runs\/.*stage=train/);
  const results = page.getByRole("region", { name: "Results" });
  await expect(results).toBeVisible({ timeout: runLimitMs });
  await openNewestTraining(page);
  await expect(page.getByText(/10 steps, resumed from step [1-9];/)).toBeVisible();

  await openAdapter(page);
  const versions = page.getByRole("table", { name: "Versions" });
  await expect(versions.getByRole("row").filter({ hasText: "v2" })).toContainText("@canary");
  await expect(versions.getByRole("row").filter({ hasText: "v1" })).toContainText("@production");
});

test("a deployment says what it will do, does it step by step, and the way back is one click", async ({ page }) => {
  await openAdapter(page);
  const serving = page.getByRole("complementary", { name: "Where it is served" });
  await serving.getByRole("button", { name: "Move to v2" }).click();
  await expect(sheet(page).getByRole("list", { name: "What will happen" }).getByRole("listitem")).toHaveCount(5);
  await expect(sheet(page)).toContainText("from version 1 to version 2");
  expect(await seriousFindings(page)).toEqual([]);
  await sheet(page).getByRole("button", { name: "Deploy", exact: true }).click();
  const steps = sheet(page).getByRole("list", { name: "Deployment" });
  await expect(sheet(page).getByRole("status")).toContainText("answers with version 2 now", { timeout: 120_000 });
  await expect(steps.getByRole("listitem").filter({ hasText: /^Load/ })).toContainText(/ms.*loaded in/);
  await expect(steps.getByRole("listitem").filter({ hasText: /^Probe/ })).toContainText(/answered in/);
  expect(await seriousFindings(page)).toEqual([]);
  await sheet(page).getByRole("button", { name: "Close" }).first().click();

  await serving.getByRole("button", { name: "Roll back to v1" }).click();
  await sheet(page).getByRole("button", { name: "Roll back", exact: true }).click();
  await expect(sheet(page).getByRole("status")).toContainText("answers with version 1 now", { timeout: 120_000 });
  await sheet(page).getByRole("button", { name: "Close" }).first().click();
  const history = page.getByRole("list", { name: "History" }).getByRole("listitem");
  await expect(history.nth(0)).toContainText("@production v2 → v1 rolled back");
  await expect(history.nth(1)).toContainText("@production v1 → v2");
});

test("a deployment that does not get on can be abandoned, and the next one goes on", async ({ page }) => {
  test.skip(process.platform !== "linux" || stateDir === undefined, "It writes into the databases of the stack.");
  await stickDeployment(stateDir!, adapter, "production");
  await openAdapter(page);
  const history = page.getByRole("list", { name: "History" }).getByRole("listitem");
  await expect(history.nth(0).getByRole("button", { name: "Abandon it" })).toBeVisible();
  const serving = page.getByRole("complementary", { name: "Where it is served" });
  await serving.getByRole("button", { name: "Move to v2" }).click();
  await expect(sheet(page).getByRole("alert")).toContainText("is under way");
  const deploy = sheet(page).getByRole("button", { name: "Deploy", exact: true });
  await expect(deploy).toBeDisabled();
  await sheet(page).getByRole("button", { name: "Abandon it" }).click();
  await page.getByRole("button", { name: "Abandon deployment" }).click();
  // Live: the obstacle goes without a reload.
  await expect(deploy).toBeEnabled();
  await deploy.click();
  await expect(sheet(page).getByRole("status")).toContainText("answers with version 2 now", { timeout: 120_000 });
  await sheet(page).getByRole("button", { name: "Close" }).first().click();
  await expect(history.nth(1)).toContainText("abandoned this deployment");
  // As it was, for the other tests.
  await serving.getByRole("button", { name: "Roll back to v1" }).click();
  await sheet(page).getByRole("button", { name: "Roll back", exact: true }).click();
  await expect(sheet(page).getByRole("status")).toContainText("answers with version 1 now", { timeout: 120_000 });
});

test("a dataset downloads as messages, and a version's files are those that its digest names", async ({ page }) => {
  await openPage(page, "/datasets");
  await page
    .getByRole("link", { name: new RegExp(`^${adapter}`) })
    .first()
    .click();
  const [dataset] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Training JSONL" }).click(),
  ]);
  expect(dataset.suggestedFilename()).toMatch(/-v\d+-train\.jsonl$/);
  const lines = (await bytesOf(dataset)).toString("utf8").trimEnd().split("\n");
  for (const line of lines) {
    const { messages } = JSON.parse(line) as { messages: { role: string; content: string }[] };
    expect(messages.at(-1)).toMatchObject({ role: "assistant", content: expect.stringMatching(/\S/) });
  }

  await openAdapter(page);
  // The page opens on what is served, which is version 1 again.
  await page.getByRole("table", { name: "Versions" }).getByRole("row").filter({ hasText: "v2" }).press("Enter");
  const newest = page.getByRole("region", { name: "Version 2" });
  await newest.getByRole("tab", { name: "Files" }).click();
  const hash = createHash("sha256");
  for (const name of ["adapter_config.json", "adapter_model.safetensors"]) {
    const row = newest.getByRole("listitem").filter({ hasText: name });
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      row.getByRole("link", { name: "Download" }).click(),
    ]);
    const bytes = await bytesOf(download);
    hash.update(`${name}\n${bytes.byteLength}\n`).update(bytes);
  }
  await expect(page.getByTitle(hash.digest("hex")).first()).toBeVisible();
});
