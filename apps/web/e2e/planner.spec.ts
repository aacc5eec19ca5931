import type { Page } from "@playwright/test";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const figures = (page: Page) => page.getByRole("region", { name: "Figures" });
const bestPlan = (page: Page) => page.getByRole("list", { name: "Best plans" }).getByRole("listitem").first();
const gpus = (page: Page) => page.getByRole("list", { name: "GPUs", exact: true });

/** The answer belongs to what stands in the inputs. */
async function answered(page: Page): Promise<void> {
  await expect(page.locator("#answer")).toHaveAttribute("aria-busy", "false");
}

async function startFrom(page: Page, worked: string): Promise<void> {
  await page.getByRole("button", { name: worked, exact: true }).click();
  await expect(page.getByRole("button", { name: worked, exact: true })).toHaveAttribute("aria-pressed", "true");
  await answered(page);
}

test("70B in INT8 for 40 users at 8K: about 99 GB, pairs of cards on two nodes, 51 tokens/s by the bandwidth", async ({
  page,
}) => {
  await openPage(page, "/planner");
  await startFrom(page, "70B INT8, 40 users at 8K");
  await expect(figures(page)).toContainText(/Needs in all(9[789]\.\d|100|101) GB/);
  await expect(bestPlan(page)).toContainText("4 × RTX-PRO-6000");
  await expect(bestPlan(page)).toContainText("2 GPUs (TP 2)");
  await expect(bestPlan(page)).toContainText(/Nodes2/);
  await expect(bestPlan(page)).toContainText(/By bandwidth alone5[01](\.\d)? tokens\/s/);
  await expect(gpus(page).getByRole("button", { name: /RTX-PRO-6000 ?× 2/ })).toHaveAttribute("aria-pressed", "true");
  await page.getByText(/^Why plan 1:/).click();
  await expect(page.getByText(/Any one of the 2 nodes can fail/)).toBeVisible();
  await page.getByText(/other options? (was|were) left out, and why/).click();
  await page.getByText(/^Too slow/).click();
  await expect(page.getByText(/tokens\/s on one NVIDIA RTX PRO 6000/)).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
});

test("5,000 staff: 37.5 requests in flight are expected; agents take several times the GPUs of a chat", async ({
  page,
}) => {
  await openPage(page, "/planner");
  await startFrom(page, "5,000 staff");
  await expect(figures(page)).toContainText("37.5 expected");
  await startFrom(page, "Agents for 5,000 staff");
  await expect(figures(page)).toContainText("180 expected");
  await page.getByText("How the load is understood").click();
  await expect(page.getByText(/times the load of single questions/)).toBeVisible();
});

test("a link shows what was planned, the chosen plan and GPU too", async ({ page, context }) => {
  await openPage(page, "/planner");
  await page.getByLabel("Users", { exact: true }).fill("120");
  await page.getByRole("textbox", { name: /^Longest request/ }).fill("16384");
  await page.getByRole("switch", { name: "Production" }).click();
  await answered(page);
  await page.getByRole("list", { name: "Best plans" }).getByRole("button").nth(1).click();
  await gpus(page).getByRole("button", { name: /H200/ }).click();
  await expect(page).toHaveURL(/users=120.*context=16384.*trial=1.*show=H200.*plan=2/);
  await answered(page);

  const other = await context.newPage();
  await other.goto(page.url());
  await answered(other);
  expect(await figures(other).innerText()).toBe(await figures(page).innerText());
  await expect(other.getByRole("heading", { name: /^Speed of one replica on .*H200/ })).toBeVisible();
  await expect(other.getByText(/^Why plan 2:/)).toBeVisible();
});

test("a pasted config.json travels in the link", async ({ page, context }) => {
  const config = {
    model_type: "qwen2",
    hidden_size: 3584,
    intermediate_size: 18_944,
    num_hidden_layers: 28,
    num_attention_heads: 28,
    num_key_value_heads: 4,
    vocab_size: 152_064,
    max_position_embeddings: 32_768,
  };
  await openPage(page, "/planner");
  await page.getByRole("button", { name: "Paste a config.json" }).click();
  await page.getByLabel("config.json").fill(JSON.stringify(config));
  await expect(page.getByText("7.62 billion")).toBeVisible();
  await expect(page).toHaveURL(/model=pasted#config=[\w-]+$/);
  await answered(page);

  const other = await context.newPage();
  await other.goto(page.url());
  await answered(other);
  expect(JSON.parse(await other.getByLabel("config.json").inputValue())).toEqual(config);
  expect(await figures(other).innerText()).toBe(await figures(page).innerText());
});

for (const [what, text, sentence] of [
  ["no JSON", "{ model_type: llama }", /^This is not JSON: /],
  ["a web page", "<!doctype html>", /^This is a web page, not the file/],
  [
    "a config that lacks a field",
    '{"model_type":"llama","hidden_size":4096}',
    /lacks the field num_attention_heads, which its architecture needs/,
  ],
  ["an architecture that is not known", '{"model_type":"gpt9"}', /The model_type "gpt9" is not known/],
] as const)
  test(`says of ${what} what is wrong with it, at the text`, async ({ page }) => {
    await openPage(page, "/planner?model=pasted");
    const field = page.getByLabel("config.json");
    await field.fill(text);
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(field.locator("xpath=following-sibling::p")).toHaveText(sentence);
  });

test("a limit that nothing meets is answered with what decided; a context that the model has not, at its field", async ({
  page,
}) => {
  await openPage(page, "/planner?speed=4000");
  await expect(page.getByRole("heading", { name: "No plan meets all limits" })).toBeVisible();
  await expect(page.getByText("Too slow", { exact: false }).first()).toBeVisible();
  await page.getByRole("textbox", { name: /^Each user/ }).fill("");
  const context = page.getByRole("textbox", { name: /^Longest request/ });
  await context.fill("999999");
  await expect(context).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("alert").filter({ hasText: "allows at most 131072 tokens" })).toBeVisible();
  await context.fill("");
  await answered(page);
});

test("is reached and worked by the keyboard alone", async ({ page }) => {
  await openPage(page, "/pools");
  await page.keyboard.press("g");
  await page.keyboard.press("n");
  await expect(page.getByRole("heading", { level: 1, name: "Planner" })).toBeVisible();
  await answered(page);
  await page.getByRole("slider", { name: "Users, slider" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByLabel("Users", { exact: true })).toHaveValue("60");
  await expect(figures(page)).toContainText("room for 60");
  await gpus(page).getByRole("button").first().focus();
  await page.keyboard.press("Enter");
  await expect(gpus(page).getByRole("button").first()).toHaveAttribute("aria-pressed", "true");
});
