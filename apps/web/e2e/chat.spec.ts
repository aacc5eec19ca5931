import { e2eEnv } from "./env.ts";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const { question } = e2eEnv();

// A model on a busy processor takes its time over an answer.
const answerLimitMs = 180_000;
test.describe.configure({ mode: "serial", timeout: answerLimitMs + 60_000 });

test("a question is answered with a citation that opens its passage, and the conversation stays", async ({ page }) => {
  await openPage(page, "/chat");
  await page.keyboard.press("/");
  await page.keyboard.type(question);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\?c=/);
  await expect(page.getByRole("button", { name: "Copy the answer" })).toBeVisible({ timeout: answerLimitMs });

  const citation = page.getByRole("button", { name: /^Citation 1:/ }).first();
  await citation.click();
  await expect(citation).toHaveAttribute("aria-pressed", "true");
  const passage = page.getByRole("complementary", { name: "Cited passage" });
  await expect(passage.locator("mark").first()).toBeVisible();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(passage).toHaveCount(0);

  await page.reload();
  await expect(page.getByRole("heading", { level: 2, name: question })).toBeVisible();
  await expect(page.getByRole("button", { name: /^Citation 1:/ }).first()).toBeVisible();
});

test("says how the answer came to be, and takes an opinion on it", async ({ page }) => {
  await openPage(page, "/chat");
  await page.getByRole("navigation", { name: "Conversations" }).getByRole("button", { name: question }).first().click();
  await page.getByText(/found, .* held back/).click();
  await expect(page.getByText("Searched for")).toBeVisible();
  const right = page.getByRole("button", { name: "This answer is right" });
  // Pressed at once, and stored a little later.
  const stored = page.waitForResponse((response) => response.url().includes("chat.feedback"));
  await right.click();
  await expect(right).toHaveAttribute("aria-pressed", "true");
  expect((await stored).ok()).toBe(true);
  await page.reload();
  await expect(right).toHaveAttribute("aria-pressed", "true");
});

test("a deleted conversation comes back by undo", async ({ page }) => {
  await openPage(page, "/chat");
  const list = page.getByRole("navigation", { name: "Conversations" });
  const entries = list.getByRole("button", { name: question, exact: true });
  await expect(entries.first()).toBeVisible();
  const before = await entries.count();
  await list
    .getByRole("button", { name: `Rename or delete “${question}”` })
    .first()
    .click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(entries).toHaveCount(before - 1);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(entries).toHaveCount(before);
});

test("at 390 pixels a citation opens over the conversation, and closes", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openPage(page, "/chat");
  await page.getByRole("button", { name: "Conversations" }).click();
  await page.getByRole("dialog").getByRole("button", { name: question, exact: true }).first().click();
  await page
    .getByRole("button", { name: /^Citation 1:/ })
    .first()
    .click();
  await expect(page.getByRole("dialog").locator("mark").first()).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});
