import { e2eEnv } from "./env.ts";
import { expect, test } from "./portal-test.ts";

const { email, password } = e2eEnv();

test("a wrong password is refused in words, and the right one opens the workspace", async ({ page, consoleErrors }) => {
  await page.goto("/w/default/documents");
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill("not the password");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("alert").filter({ hasText: /password/i })).toBeVisible();
  // The browser itself notes the 401 of the attempt; nothing else may be amiss.
  expect(consoleErrors.splice(0).filter((error) => !error.includes("401"))).toEqual([]);

  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page).toHaveURL(/\/w\/default\/documents/);
  await expect(page.getByRole("heading", { level: 1, name: "Documents" })).toBeVisible();
  // The other tests begin signed in.
  await page.context().storageState({ path: "test-results/session.json" });
});
