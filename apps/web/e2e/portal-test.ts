import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base, type Page } from "@playwright/test";
import { e2eEnv } from "./env.ts";

/** Every test of the portal: skipped where there is none, failed by whatever the browser's console calls an error. */
export const test = base.extend<{ consoleErrors: string[] }>({
  consoleErrors: [
    async ({ page }, use) => {
      base.skip(e2eEnv().url === undefined, "There is no portal: ANNEAL_E2E_URL is not set and none could be started.");
      const errors: string[] = [];
      page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
      page.on("pageerror", (error) => errors.push(error.message));
      await use(errors);
      expect(errors, "errors in the browser's console").toEqual([]);
    },
    { auto: true },
  ],
});

export { expect } from "@playwright/test";

/** The rail's pages, in its order. */
export const railPages = [
  { path: "", heading: "Home" },
  { path: "/sources", heading: "Sources" },
  { path: "/documents", heading: "Documents" },
  { path: "/datasets", heading: "Datasets" },
  { path: "/training", heading: "Training" },
  { path: "/adapters", heading: "Adapters" },
  { path: "/assistants", heading: "Assistants" },
  { path: "/chat", heading: "New conversation" },
  { path: "/pools", heading: "Pools" },
  { path: "/planner", heading: "Planner" },
  { path: "/access", heading: "Access" },
  { path: "/audit", heading: "Audit" },
] as const;

/** Opens a page of the workspace and waits until it shows what it is about instead of placeholders. */
export async function openPage(page: Page, path: string): Promise<void> {
  await page.goto(`/w/default${path}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.locator("main .animate-pulse")).toHaveCount(0);
}

/** What axe calls serious or critical, with where it is. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // What is computed anew is paler meanwhile.
  await expect(page.locator("main div[aria-busy='true']")).toHaveCount(0);
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")} (${node.any[0]?.message ?? ""})`));
}
