import { e2eEnv } from "./env.ts";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const { assistant } = e2eEnv();

test("a pair stands beside its source's text, with its own words marked there", async ({ page }) => {
  await openPage(page, "/datasets");
  await page.getByRole("link", { name: `${assistant} v1` }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(assistant);
  const source = page.getByRole("region", { name: "Source" });
  const marked = source.locator("mark").first();
  await expect(marked).toBeInViewport();
  const first = await marked.innerText();
  await page.keyboard.press("j");
  await expect(page).toHaveURL(/pair=/);
  await expect(source.locator("mark").first()).toBeInViewport();
  await source.getByRole("link", { name: "Open the document" }).click();
  await expect(page).toHaveURL(/\/documents\/.*from=\d+&to=\d+/);
  await expect(page.locator("mark").first()).toBeVisible();
  expect(first.length).toBeGreaterThan(3);
});

test("an original opens beside its text, where nothing in it runs, and the address keeps it", async ({
  page,
  consoleErrors,
}) => {
  await openPage(page, "/documents?q=md");
  await page.getByRole("table").getByRole("link").first().click();
  await expect(page.getByRole("link", { name: "Download" })).toBeVisible();
  // Before the frame opens: axe would wait for ever for a script of its own to run in there.
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByRole("button", { name: "Show the original" }).click();
  await expect(page).toHaveURL(/original=1/);
  const frame = page.getByTitle(/^The original of/);
  await expect(frame).toHaveAttribute("sandbox", "");
  await expect(page.frameLocator("iframe").getByText(/^#/).first()).toBeVisible();
  await page.reload();
  await expect(page.frameLocator("iframe").getByText(/^#/).first()).toBeVisible();
  const shown = await page.request.get((await frame.getAttribute("src")) ?? "");
  expect(shown.headers()).toMatchObject({
    "x-content-type-options": "nosniff",
    "content-type": "text/plain; charset=utf-8",
  });
  expect(shown.headers()["content-security-policy"]).toMatch(/^sandbox; default-src 'none'/);
  await page.getByRole("button", { name: "Hide the original" }).click();
  await expect(frame).toHaveCount(0);
  // The browser's own word that the frame may run nothing: it also refuses what this test's driver brings along.
  expect(consoleErrors.splice(0).filter((error) => !error.startsWith("Blocked script execution"))).toEqual([]);
});
