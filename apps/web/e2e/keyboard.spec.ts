import { expect, openPage, test } from "./portal-test.ts";

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
