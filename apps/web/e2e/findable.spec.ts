import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const api = "/api/w/default/trpc";

test("what was fetched of a new source is made findable on its page, without training", async ({ page }) => {
  const folder = await mkdtemp(join(tmpdir(), "anneal-e2e-findable-"));
  await writeFile(join(folder, "lift.md"), "# Lift\n\nThe lift in the east wing is inspected every second Tuesday.\n");
  await writeFile(join(folder, "cut-off.pdf"), `%PDF-1.7\n${"1 0 obj << /Type /Catalog >> ".repeat(20)}`);
  await writeFile(join(folder, "stub.md"), "To do.\n");
  const call = async (procedure: string, json: object) => {
    const answer = await page.request.post(`${api}/${procedure}`, { data: { json } });
    expect(answer.ok(), await answer.text()).toBe(true);
    return ((await answer.json()) as { result: { data: { json: { sourceId: string } } } }).result.data.json;
  };
  const listAssistants = async () => {
    const answer = await page.request.get(`${api}/assistants.list`);
    return ((await answer.json()) as { result: { data: { json: { id: string }[] } } }).result.data.json;
  };
  const before = new Set((await listAssistants()).map(({ id }) => id));
  const config = { path: folder };
  const source = { name: "east wing", kind: "file", config, audience: "members", schedule: null };
  const { sourceId } = await call("connect.create", source);
  try {
    await openPage(page, `/sources/${sourceId}`);
    await page.getByRole("button", { name: "Read now" }).click();
    await expect(page.getByText("3 documents are fetched and not parsed yet.")).toBeVisible();
    await expect(page.getByText("Read, 3 not parsed yet")).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Make 3 documents findable" }).click();

    const stages = page.getByRole("region", { name: "Stages of the loop" }).getByRole("listitem");
    await expect(stages).toHaveCount(4);
    await expect(page.getByText("Only make documents findable")).toBeVisible();
    await expect(page.getByRole("region", { name: "Results" })).toContainText("passages of 1 document");
    await expect(page.getByText("cut-off.pdf").first()).toBeVisible();

    await openPage(page, "/sources");
    const listed = page.getByRole("row").filter({ hasText: "east wing" });
    await expect(listed).toContainText("3 · 1 left out");
    await listed.getByRole("link", { name: "1 left out" }).click();
    await expect(page.getByRole("table", { name: "Left out by the rules" })).toContainText("stub.md");
    await expect(page.getByText("Up to date, 1 failure")).toBeVisible();
    await page.getByRole("tab", { name: /^Failures/ }).click();
    await expect(page.getByText("DOCUMENT_DAMAGED")).toBeVisible();
  } finally {
    await call("connect.remove", { sourceId });
    for (const { id } of await listAssistants()) if (!before.has(id)) await call("assistants.remove", { id });
    await rm(folder, { recursive: true });
  }
});
