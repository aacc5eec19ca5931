import { e2eEnv } from "./env.ts";
import { expect, openPage, test } from "./portal-test.ts";

const { assistant } = e2eEnv();

test("Ctrl-K finds a page by its name and goes there", async ({ page }) => {
  await openPage(page, "");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
  await page.keyboard.type("Access");
  await expect(page.getByRole("option", { name: /^Access/ })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/access$/);
});

test("g d goes to the documents, from where nobody types", async ({ page }) => {
  await openPage(page, "");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await expect(page).toHaveURL(/\/documents$/);
});

test("g d typed into a search is text", async ({ page }) => {
  await openPage(page, "/documents");
  await page.keyboard.press("/");
  await page.keyboard.type("gd");
  await expect(page.getByRole("searchbox")).toHaveValue("gd");
  await expect(page).toHaveURL(/\/documents(\?q=gd)?$/);
});

for (const [kind, typed, option, address] of [
  ["an adapter", assistant, `${assistant} adapter`, /\/adapters\/[0-9a-f-]{36}$/],
  ["an assistant", assistant, `${assistant} assistant`, /\/chat\?assistant=/],
  ["a dataset", `${assistant} v1`, `${assistant} v1 dataset`, /\/datasets\/[0-9a-f-]{36}$/],
  ["a training", "training", `Training [0-9a-f]{8} on ${assistant} v1 training, done`, /\/training\/[0-9a-f-]{36}$/],
  ["a source", "support", ".*support source, file", /\/sources\/[0-9a-f-]{36}$/],
] as const)
  test(`Ctrl-K finds ${kind} by its name and opens it`, async ({ page }) => {
    await openPage(page, "");
    await page.keyboard.press("Control+k");
    await page.keyboard.type(typed);
    await page
      .getByRole("option", { name: new RegExp(`^${option}`) })
      .first()
      .click();
    await expect(page).toHaveURL(address);
  });

test("? lists the shortcuts", async ({ page }) => {
  await openPage(page, "");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Keyboard" })).toContainText("Go to, run, find");
});

test("the audit trail shows an act of somebody else as it happens", async ({ page, request }) => {
  await openPage(page, "/audit?q=audit.export");
  const exported = await request.get("/api/w/default/audit");
  expect(exported.ok()).toBe(true);
  const lastLine = (await exported.text()).trim().split("\n").at(-1)!;
  const { hash } = JSON.parse(lastLine) as { hash: string };
  await expect(page.getByRole("row").filter({ hasText: hash.slice(0, 8) })).toBeVisible();
});
