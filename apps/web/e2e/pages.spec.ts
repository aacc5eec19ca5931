import { expect, openPage, railPages, seriousFindings, test } from "./portal-test.ts";

for (const { path, heading } of railPages)
  test(`${heading} opens without errors, light and dark, wide and narrow, and axe finds nothing serious`, async ({
    page,
  }) => {
    await page.setViewportSize({ width: 1440, height: 900 });
    await page.emulateMedia({ colorScheme: "light" });
    await openPage(page, path);
    expect(await seriousFindings(page)).toEqual([]);

    await page.emulateMedia({ colorScheme: "dark" });
    await expect(page.locator("html")).toHaveClass(/\bdark\b/);
    expect(await seriousFindings(page)).toEqual([]);

    // Loaded anew, as a phone would.
    await page.setViewportSize({ width: 390, height: 844 });
    await openPage(page, path);
    const overflowPx = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflowPx).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
  });

test.describe("at 390 pixels", () => {
  test.use({ viewport: { width: 390, height: 844 } });
  test("the rail is a drawer", async ({ page }) => {
    await openPage(page, "");
    await page.getByRole("button", { name: "Open navigation" }).click();
    await page.getByRole("dialog").getByRole("link", { name: "Assistants" }).click();
    await expect(page).toHaveURL(/\/assistants$/);
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });
});

test("the rail names the page that is open", async ({ page }) => {
  await openPage(page, "/documents");
  const main = page.getByRole("navigation", { name: "Main" });
  await expect(main.getByRole("link", { name: "Documents" })).toHaveAttribute("aria-current", "page");
  await main.getByRole("link", { name: "Sources" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Sources" })).toBeVisible();
});
