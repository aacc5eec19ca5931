import type { APIRequestContext } from "@playwright/test";
import { e2eEnv } from "./env.ts";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const { email, apiKey, url } = e2eEnv();
const procedureUrl = (name: string) => `${url}/api/w/default/trpc/pools.${name}`;

test.describe.configure({ mode: "serial" });

const headers = { authorization: `Bearer ${apiKey}` };
type Overview = { result: { data: { json: { pools: { nodes: { name: string; cordoned: boolean }[] }[] } } } };

/** The names of the machines that are closed, as they are stored. */
async function listCordoned(request: APIRequestContext): Promise<string[]> {
  const { result } = (await (await request.get(procedureUrl("overview"), { headers })).json()) as Overview;
  const nodes = result.data.json.pools.flatMap((pool) => pool.nodes);
  return nodes.flatMap(({ name, cordoned }) => (cordoned ? [name] : []));
}

test.afterAll(async ({ request }) => {
  // A machine that a failed test left closed would keep every later training waiting.
  for (const node of await listCordoned(request))
    await request.post(procedureUrl("setCordoned"), { headers, data: { json: { node, cordoned: false } } });
});

test("a machine is cordoned and uncordoned, each after a question, and the audit has it", async ({ page, request }) => {
  await openPage(page, "/pools");
  const cordon = page.getByRole("button", { name: /^Cordon / }).last();
  const name = (await cordon.getAttribute("aria-label"))!.replace("Cordon ", "");
  const node = page.getByRole("region", { name: `Node ${name}` });
  await cordon.click();
  const question = page.getByRole("dialog", { name: `Cordon ${name}?` });
  await expect(question).toContainText("Nothing new is placed on it from now on.");
  expect(await seriousFindings(page)).toEqual([]);
  await question.getByRole("button", { name: "Cordon" }).click();
  // Shown at once; what is not saved yet would end with the page.
  await expect(node.getByText("Cordoned")).toBeVisible();
  await expect.poll(() => listCordoned(request)).toContain(name);
  await page.reload();
  await expect(node.getByText("Cordoned")).toBeVisible();
  await node.getByRole("button", { name: `Uncordon ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Uncordon" }).click();
  await expect(node.getByText("Cordoned")).toHaveCount(0);
  await openPage(page, "/audit?q=pool.cordon");
  await expect(page.getByRole("row").filter({ hasText: name }).first()).toBeVisible();
});

test("a machine is drained after a question that says what will go, and takes work again", async ({ page }) => {
  await openPage(page, "/pools");
  const drain = page.getByRole("button", { name: /^Drain / }).last();
  const name = (await drain.getAttribute("aria-label"))!.replace("Drain ", "");
  const node = page.getByRole("region", { name: `Node ${name}` });
  await drain.click();
  const question = page.getByRole("dialog", { name: `Drain ${name}?` });
  await expect(question).toContainText("the one that belongs to this stack stays");
  expect(await seriousFindings(page)).toEqual([]);
  await question.getByRole("button", { name: "Drain" }).click();
  await expect(node.getByText("Cordoned")).toBeVisible();
  // The stack's own engine goes on.
  await expect(node).toContainText("Engine 1");
  await node.getByRole("button", { name: `Uncordon ${name}` }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Uncordon" }).click();
  await expect(node.getByText("Cordoned")).toHaveCount(0);
});

test("a quota that cannot hold is refused at its form; a sound one stands in the table with its budget", async ({
  page,
}) => {
  await openPage(page, "/pools");
  await page.getByRole("button", { name: "New team" }).click();
  const form = page.getByRole("dialog", { name: "New team" });
  await form.getByLabel("Name").fill("browser tests");
  await form.getByLabel("Its own GPUs").fill("many");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByLabel("Its own GPUs")).toHaveAttribute("aria-invalid", "true");
  await form.getByLabel("Its own GPUs").fill("100000");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form.getByRole("alert")).toContainText("nominal quotas add up to");
  expect(await seriousFindings(page)).toEqual([]);
  await form.getByLabel("Its own GPUs").fill("");
  await form.getByLabel("Weight in the queue").fill("2");
  await form.getByRole("group", { name: "Budget of GPU-hours" }).getByLabel("At most").fill("250");
  await form.getByRole("button", { name: "Save" }).click();
  await expect(form).toHaveCount(0);
  const row = page.getByRole("table", { name: "Quotas" }).getByRole("row").filter({ hasText: "browser tests" });
  await expect(row).toContainText(/no limit.*0 of 250 GPU-hours · renews 1 /);
});

test("who decides on the number of engines is changed, and the reason says by whom", async ({ page }) => {
  await openPage(page, "/pools");
  const target = page.getByRole("region", { name: /^Engines of / });
  await expect(target).toContainText(/1 engine wanted, 1 ready/);
  await target.getByRole("button", { name: "Automatic" }).click();
  await expect(target.getByRole("group", { name: "At most" })).toBeVisible();
  await target.getByRole("button", { name: "By hand" }).click();
  await expect(target).toContainText(`Set to 1 by ${email}.`);
  await expect(target.getByRole("button", { name: "Engines: one less" })).toBeDisabled();
});

test("an empty queue says what would stand there", async ({ page }) => {
  await openPage(page, "/pools");
  const queue = page.locator("section").filter({ has: page.getByRole("heading", { name: "Queue" }) });
  await expect(queue).toContainText(/Nothing waits\. .* stands here with the reason|waiting/);
});
