import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Locator, Page } from "@playwright/test";
import { e2eEnv, withEnv } from "./env.ts";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const { apiKey, stateDir, url } = e2eEnv();
const repoDir = join(import.meta.dirname, "../../..");
const nowhere = "/nowhere/at/all";
const sentence = `"${nowhere}" does not exist.`;
const action = "Check the path, and that a mounted drive is mounted on the machine that runs the worker.";

test("a source is tried before it is saved: what is wrong and what to do, then what it holds", async ({
  page,
  consoleErrors,
}) => {
  // The open sheet hides the page's heading from assistive technology, and so from the usual wait for it.
  await page.goto("/w/default/sources?add=1");
  await page.getByRole("button", { name: /^Folder/ }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name").fill("Trial");
  await form.getByLabel("Folder").fill(nowhere);
  await form.getByRole("button", { name: "Test" }).click();
  await expect(form.getByRole("alert")).toContainText(sentence);
  await expect(form.getByRole("alert")).toContainText(action);

  // What was found is about what was entered then.
  await form.getByLabel("Folder").fill(join(repoDir, "examples/documents"));
  await expect(form.getByRole("alert")).toHaveCount(0);
  await form.getByRole("button", { name: "Test" }).click();
  await expect(form.getByRole("status")).toContainText(/can be read and holds \d+ files, such as /);
  expect(await seriousFindings(page)).toEqual([]);
  // The browser's console names the answer that was refused.
  consoleErrors.length = 0;
});

/** A service that takes one token, keeps those waiting that begin with "slow", refuses all others, and remembers whom it saw. */
async function startTokenService() {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.replace("Bearer ", "") ?? "none";
    seen.push(token);
    if (token.startsWith("slow")) return;
    response.writeHead(token === "right" ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify(token === "right" ? [{ id: "one" }] : { error: "unknown token" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** The form for a REST API, filled in; what makes it complete comes last. */
async function describeService(page: Page, url: string, token: string): Promise<Locator> {
  await page.goto("/w/default/sources?add=1");
  await page.getByRole("button", { name: /^REST API/ }).click();
  const form = page.getByRole("dialog");
  await form.getByLabel("Name", { exact: true }).fill("Desk");
  await form.getByLabel("Address", { exact: true }).fill(url);
  await form.getByRole("combobox", { name: /^Sign-in/ }).click();
  await page.getByRole("option", { name: "bearer" }).click();
  await form.getByLabel("Allow private hosts").click();
  await form.getByLabel("Token or key").fill(token);
  await expect(form.getByText("It is tried by itself once everything that it needs is filled in.")).toBeVisible();
  await form.getByLabel("Id", { exact: true }).fill("id");
  return form;
}

/** The tries that the form asks the portal for, and how many were ever under way at once. */
function watchChecks(page: Page) {
  const watched = { begun: 0, underWay: 0, mostAtOnce: 0 };
  const isCheck = (request: { url(): string }) => request.url().includes("connect.checkDraft");
  page.on("request", (request) => {
    if (!isCheck(request)) return;
    watched.begun += 1;
    watched.underWay += 1;
    watched.mostAtOnce = Math.max(watched.mostAtOnce, watched.underWay);
  });
  page.on("requestfinished", (request) => isCheck(request) && (watched.underWay -= 1));
  page.on("requestfailed", (request) => isCheck(request) && (watched.underWay -= 1));
  return watched;
}

test("a source tries itself once it is complete; a refused sign-in is not tried again until something changes", async ({
  page,
  consoleErrors,
}) => {
  const service = await startTokenService();
  try {
    await page.clock.install();
    const checks = watchChecks(page);
    const form = await describeService(page, service.url, "wrong");
    const token = form.getByLabel("Token or key");
    await expect(form.getByRole("alert")).toContainText("does not accept the credentials");
    await expect(form.getByText("This sign-in was refused.")).toBeVisible();
    expect(checks.begun).toBe(1);
    const asked = service.seen.length;

    // Neither time nor a look elsewhere nor what has nothing to do with it, nor a change that is taken back.
    await page.clock.runFor(60_000);
    await form.getByLabel("Name", { exact: true }).fill("Help desk");
    await form.getByLabel("Id", { exact: true }).fill("");
    await expect(form.getByRole("alert")).toHaveCount(0);
    await form.getByLabel("Id", { exact: true }).fill("id");
    await expect(form.getByText("This sign-in was refused.")).toBeVisible();
    await page.clock.runFor(60_000);
    expect(checks.begun).toBe(1);
    expect(service.seen).toHaveLength(asked);

    await token.fill("right");
    await expect(form.getByRole("status")).toContainText("can be read and holds 1 item");
    await expect(form.getByRole("list", { name: "What works and what is missing" })).toContainText("Content");
    // Also beside the buttons, wherever the form was scrolled to; that line leads to all of it.
    await token.scrollIntoViewIfNeeded();
    await expect(form.getByText("It can be read, with 1 limit.", { exact: true })).toBeInViewport();
    await form.getByRole("button", { name: "Details" }).click();
    await expect(form.getByRole("group", { name: "Test" })).toBeFocused();
    await expect(form.getByRole("status")).toBeInViewport();
    expect(checks).toMatchObject({ begun: 2, mostAtOnce: 1 });
    expect(await seriousFindings(page)).toEqual([]);

    // Somebody who presses the button is asked for all the same.
    await token.fill("wrong");
    await expect(form.getByText("This sign-in was refused.")).toBeVisible();
    await form.getByRole("button", { name: "Test" }).click();
    await expect(form.getByRole("alert")).toContainText("does not accept the credentials");
    expect(checks.begun).toBe(3);
    consoleErrors.length = 0;
  } finally {
    await service.stop();
  }
});

test("a kind is found by what people call it, and nobody reads its documents by an oversight", async ({ page }) => {
  await page.goto("/w/default/sources?add=1");
  const sheet = page.getByRole("dialog");
  const readers = sheet.getByRole("combobox", { name: "Default audience" });
  await sheet.getByLabel("Find a kind of source").fill("exchange");
  await expect(sheet.getByRole("listitem")).toHaveCount(1);
  await sheet.getByRole("button", { name: /^E-mail/ }).click();
  await expect(readers).toHaveText("Choose…");
  await sheet.getByLabel("Name", { exact: true }).fill("Mail");
  await sheet.getByLabel("Host", { exact: true }).fill("imap.example.com");
  await sheet.getByLabel("User", { exact: true }).fill("ann@example.com");
  await sheet.getByRole("button", { name: "Add and read" }).click();
  await expect(sheet.getByText("Choose who may find these documents.")).toBeVisible();
  await expect(readers).toBeFocused();
});

test("why saving is refused stands beside the button that was pressed", async ({ page, consoleErrors }) => {
  await openPage(page, "/sources");
  const taken = await page.getByRole("table", { name: "Sources" }).getByRole("link").first().textContent();
  await page.getByRole("button", { name: "Add source" }).click();
  const form = page.getByRole("dialog");
  await form.getByRole("button", { name: /^Folder/ }).click();
  await form.getByLabel("Name", { exact: true }).fill(taken!);
  await form.getByLabel("Folder", { exact: true }).fill(nowhere);
  await form.getByRole("combobox", { name: "Default audience" }).click();
  await page.getByRole("option", { name: "Nobody" }).click();
  await form.getByRole("button", { name: "Add and read" }).click();
  await expect(form.getByRole("alert").filter({ hasText: "There is a source named" })).toBeInViewport();
  expect(await seriousFindings(page)).toEqual([]);
  consoleErrors.length = 0;
});

test("a filled form is not lost by a key or a click, and an empty one is left without a word", async ({ page }) => {
  await openPage(page, "/sources");
  const add = page.getByRole("button", { name: "Add source" }).first();
  await add.click();
  const form = page.getByRole("dialog", { name: "Folder" });
  const question = page.getByRole("dialog", { name: "Discard what you entered?" });
  await page.getByRole("button", { name: /^Folder/ }).click();
  await form.getByLabel("Name", { exact: true }).fill("Half a form");
  await page.keyboard.press("Escape");
  await expect(question.getByRole("button", { name: "Keep editing" })).toBeFocused();
  expect(await seriousFindings(page)).toEqual([]);
  await page.keyboard.press("Enter");
  await expect(question).toHaveCount(0);
  await expect(form.getByLabel("Name", { exact: true })).toHaveValue("Half a form");
  await page.mouse.click(5, 400);
  // Drawn is not yet listening: a key before that is the form's, which asks again.
  await expect(question.getByRole("button", { name: "Keep editing" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(form.getByLabel("Name", { exact: true })).toHaveValue("Half a form");
  await form.getByRole("button", { name: "Close" }).click();
  await question.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await add.click();
  await page.getByRole("button", { name: /^Folder/ }).click();
  await form.getByLabel("Name", { exact: true }).fill("typed");
  await form.getByLabel("Name", { exact: true }).fill("");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(add).toBeFocused();
});

test("a kind is chosen without a mouse, by the search that leaves no other", async ({ page }) => {
  await openPage(page, "/sources");
  const add = page.getByRole("button", { name: "Add source" }).first();
  await add.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByLabel("Find a kind of source")).toBeFocused();
  await page.keyboard.type("database");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Add a source" })).toBeVisible();
  await page.getByLabel("Find a kind of source").fill("mariadb");
  await page.keyboard.press("Enter");
  await expect(
    page.getByRole("dialog", { name: "MySQL or MariaDB" }).getByLabel("Name", { exact: true }),
  ).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(add).toBeFocused();
});

test("after three refused sign-ins a form tries none by itself", async ({ page, consoleErrors }) => {
  const service = await startTokenService();
  try {
    await page.clock.install();
    const checks = watchChecks(page);
    const form = await describeService(page, service.url, "wrong-1");
    for (const guess of ["wrong-1", "wrong-2", "wrong-3"]) {
      await form.getByLabel("Token or key").fill(guess);
      await expect.poll(() => service.seen).toContain(guess);
      await expect(form.getByRole("alert")).toContainText("does not accept the credentials");
    }
    await form.getByLabel("Token or key").fill("right");
    await expect(form.getByText("Lest the account be locked")).toBeVisible();
    await page.clock.runFor(60_000);
    expect(checks.begun).toBe(3);
    expect(service.seen).not.toContain("right");
    await form.getByRole("button", { name: "Test" }).click();
    await expect(form.getByRole("status")).toContainText("can be read and holds 1 item");
    consoleErrors.length = 0;
  } finally {
    await service.stop();
  }
});

test("what is typed while a source is tried ends that try, and only what stands there then is told", async ({
  page,
}) => {
  const service = await startTokenService();
  try {
    const checks = watchChecks(page);
    const form = await describeService(page, service.url, "slow");
    await expect(form.getByRole("status")).toContainText("The worker tries it");
    await expect.poll(() => service.seen).toContain("slow");
    await form.getByLabel("Token or key").fill("right");
    await expect(form.getByRole("status")).toContainText("can be read and holds 1 item");
    // The slow one was given up before the other was begun.
    expect(checks).toMatchObject({ begun: 2, mostAtOnce: 1 });
  } finally {
    await service.stop();
  }
});

test("sign-ins that are cut short count as those that were refused: after three a form tries none by itself", async ({
  page,
}) => {
  const service = await startTokenService();
  try {
    await page.clock.install();
    const checks = watchChecks(page);
    const form = await describeService(page, service.url, "slow-1");
    for (const guess of ["slow-1", "slow-2", "slow-3"]) {
      await form.getByLabel("Token or key").fill(guess);
      await expect.poll(() => service.seen, { timeout: 40_000 }).toContain(guess);
    }
    await form.getByLabel("Token or key").fill("right");
    await expect(form.getByText("Lest the account be locked")).toBeVisible();
    await page.clock.runFor(60_000);
    expect(checks.begun).toBe(3);
    expect(service.seen).not.toContain("right");
    await form.getByRole("button", { name: "Test" }).click();
    await expect(form.getByRole("status")).toContainText("can be read and holds 1 item");
    expect(await seriousFindings(page)).toEqual([]);
  } finally {
    await service.stop();
  }
});

test("typed credentials go to another address only when they are asked to be sent there", async ({ page }) => {
  const [service, other] = [await startTokenService(), await startTokenService()];
  try {
    await page.clock.install();
    const checks = watchChecks(page);
    const form = await describeService(page, service.url, "right");
    const found = form.getByRole("status").filter({ hasText: "can be read and holds 1 item" });
    await expect(found).toBeVisible();
    await form.getByLabel("Address", { exact: true }).fill(other.url);
    await expect(form.getByText("Where the credentials go was changed after they were entered.")).toBeVisible();
    await page.clock.runFor(60_000);
    expect([checks.begun, other.seen]).toEqual([1, []]);
    // What says nothing of the address makes no difference, and where they were typed for they may go.
    await form.getByLabel("Id", { exact: true }).fill("key");
    await form.getByLabel("Id", { exact: true }).fill("id");
    await page.clock.runFor(60_000);
    expect([checks.begun, other.seen]).toEqual([1, []]);
    await form.getByLabel("Address", { exact: true }).fill(service.url);
    await expect(found).toBeVisible();
    expect(checks.begun).toBe(2);

    await form.getByLabel("Address", { exact: true }).fill(other.url);
    await form.getByRole("button", { name: "Test" }).click();
    await expect(found).toBeVisible();
    expect(other.seen).toContain("right");
    expect(await seriousFindings(page)).toEqual([]);
  } finally {
    await Promise.all([service.stop(), other.stop()]);
  }
});

test("the API and the command line refuse a source in the same words, and begin no run with it", async ({
  request,
}) => {
  test.skip(stateDir === undefined, "ANNEAL_E2E_STATE_DIR does not name the state folder of a running stack.");
  const headers = { authorization: `Bearer ${apiKey}` };
  const input = { json: { kind: "file", config: { path: nowhere }, secrets: {} } };
  const answer = await request.post(`${url}/api/w/default/trpc/connect.checkDraft`, { headers, data: input });
  expect(answer.status()).toBe(422);
  const { error } = (await answer.json()) as { error: { json: { data: { report: Record<string, unknown> } } } };
  expect(error.json.data.report).toMatchObject({ code: "SOURCE_NOT_FOUND", message: sentence, action });

  const env = withEnv({ ANNEAL_STATE_DIR: stateDir! });
  const args = [join(repoDir, "apps/cli/src/main.ts"), "loop", "--source", `file://${nowhere}`, "--audience", "nobody"];
  const said = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { env, timeout: 60_000 }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
  expect(said).toBe(`SOURCE_NOT_FOUND: ${sentence}\nWhat to do: ${action}\n`);
});

test("a source's page tries it, and lists who read it when and what came of it", async ({ page }) => {
  await openPage(page, "/sources");
  await page
    .getByRole("link", { name: /examples\/documents/ })
    .first()
    .click();
  await page.getByRole("button", { name: "Test" }).click();
  await expect(page.getByRole("status").filter({ hasText: "can be read and holds" })).toBeVisible();

  const reads = page.getByRole("table", { name: "Reads" }).getByRole("row");
  await expect(reads.nth(1)).toContainText("Done");
  await expect(reads.nth(1).getByRole("link", { name: /^Run · / })).toBeVisible();
  const before = await reads.count();
  await page.getByRole("button", { name: "Read now" }).click();
  await expect(reads).toHaveCount(before + 1);
  await expect(reads.nth(1)).toContainText("Done");
  await expect(reads.nth(1)).toContainText("@");
  expect(await seriousFindings(page)).toEqual([]);
});

test("deletions that are held back name what would go, before somebody confirms them", async ({ page, request }) => {
  const headers = { authorization: `Bearer ${apiKey}` };
  const call = async (procedure: string, json: unknown) => {
    const answer = await request.post(`${url}/api/w/default/trpc/${procedure}`, { headers, data: { json } });
    expect(answer.status(), await answer.text()).toBe(200);
    return (await answer.json()) as { result: { data: { json: { sourceId: string } } } };
  };
  const path = await mkdtemp(join(tmpdir(), "anneal-e2e-source-"));
  const names = Array.from({ length: 24 }, (_, index) => `ward-${String(index).padStart(2, "0")}.md`);
  for (const name of names) await writeFile(join(path, name), `# Plan of ${name}\n\nWhat ${name} plans.\n`);
  const name = `Wards ${randomUUID()}`;
  const source = { name, kind: "file", config: { path }, secrets: {}, audience: "members", schedule: null };
  const { sourceId } = (await call("connect.create", source)).result.data.json;
  try {
    await openPage(page, `/sources/${sourceId}`);
    const reads = page.getByRole("table", { name: "Reads" }).getByRole("row");
    await page.getByRole("button", { name: "Read now" }).click();
    await expect(reads.nth(1)).toContainText("Done");
    for (const gone of names.slice(1)) await rm(join(path, gone));
    await page.getByRole("button", { name: "Read now" }).click();
    await expect(reads.nth(1)).toContainText("Held back");

    const notice = page.getByRole("main").getByRole("alert");
    await expect(notice).toContainText("The source no longer has 23 of 24 documents");
    await expect(notice).not.toContainText("CONFLICT");
    await notice.getByRole("button", { name: "See which, and confirm" }).click();
    const dialog = page.getByRole("dialog");
    const missing = dialog.getByRole("list", { name: "Documents that would be deleted" }).getByRole("listitem");
    await expect(missing).toHaveCount(20);
    await expect(missing.first()).toContainText("ward-01.md");
    await expect(dialog.getByText("and 3 more.")).toBeVisible();
    for (const width of [390, 1440]) {
      await page.setViewportSize({ width, height: 844 });
      const confirm = dialog.getByRole("button", { name: "Delete them here" });
      await expect(confirm).toBeInViewport();
      await expect(dialog.getByRole("textbox")).toBeInViewport();
    }
    expect(await seriousFindings(page)).toEqual([]);
    await dialog.getByRole("textbox").fill(name);
    await dialog.getByRole("button", { name: "Delete them here" }).click();
    await expect(reads.nth(1)).toContainText("Done");
    await expect(page.getByRole("tab", { name: /^Deleted/ })).toContainText("23");

    await page.getByRole("tab", { name: /^Deleted/ }).click();
    const deleted = page.getByRole("table", { name: "Deleted documents" }).getByRole("row");
    await expect(deleted).toHaveCount(24);
    await page.getByRole("checkbox", { name: "Choose ward-02.md" }).click();
    await page.getByRole("checkbox", { name: "Choose ward-03.md" }).click();
    await page.getByRole("button", { name: "Restore 2 chosen" }).click();
    await expect(page.getByText("2 documents are back, and stay until their source has them again.")).toBeVisible();
    await expect(deleted).toHaveCount(22);
    await page.getByRole("searchbox", { name: "Search deleted documents" }).fill("ward-1");
    await expect(deleted).toHaveCount(11);
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Restore all 10 found" }).click();
    await dialog.getByRole("button", { name: "Restore them" }).click();
    await expect(page.getByText("10 documents are back, and stay until their source has them again.")).toBeVisible();
    await expect(page.getByText("No deleted document has “ward-1” in its title or path.")).toBeVisible();
    await expect(page.getByRole("tab", { name: /^Deleted/ })).toContainText("11");
  } finally {
    await call("connect.remove", { sourceId });
    await rm(path, { recursive: true, force: true });
  }
});

test("what a source deleted is taken back with one click, and let go again", async ({ page, request }) => {
  const headers = { authorization: `Bearer ${apiKey}` };
  const call = async (procedure: string, json: unknown) => {
    const answer = await request.post(`${url}/api/w/default/trpc/${procedure}`, { headers, data: { json } });
    expect(answer.status(), await answer.text()).toBe(200);
    return (await answer.json()) as { result: { data: { json: { sourceId: string } } } };
  };
  const path = await mkdtemp(join(tmpdir(), "anneal-e2e-source-"));
  // Of six, one is less than the share that a sync asks about.
  for (const name of ["kept", "1", "2", "3", "4", "lost"])
    await writeFile(join(path, `${name}.md`), `# ${name}\n\nWhat is ${name}.\n`);
  const source = {
    // Its own: no other source has the name, and so another history.
    name: `Notes ${randomUUID()}`,
    kind: "file",
    config: { path },
    secrets: {},
    audience: "members",
    schedule: null,
  };
  const { sourceId } = (await call("connect.create", source)).result.data.json;
  try {
    await openPage(page, `/sources/${sourceId}`);
    const reads = page.getByRole("table", { name: "Reads" }).getByRole("row");
    const readTimes = async (times: number) => {
      await page.getByRole("button", { name: "Read now" }).click();
      await expect(reads).toHaveCount(times + 1);
      await expect(reads.nth(1)).toContainText("Done");
    };
    await readTimes(1);
    await rm(join(path, "lost.md"));
    await readTimes(2);

    await page.getByRole("tab", { name: /^Deleted/ }).click();
    const deleted = page.getByRole("table", { name: "Deleted documents" });
    await expect(deleted).toContainText("lost");
    expect(await seriousFindings(page)).toEqual([]);
    await deleted.getByRole("row").nth(1).press("Enter");
    await expect(page).toHaveURL(/\/documents\/[0-9a-f-]{36}/);
    const documentUrl = page.url();
    await openPage(page, `/sources/${sourceId}`);
    await page.getByRole("tab", { name: /^Deleted/ }).click();
    await deleted.getByRole("button", { name: /^Restore / }).click();
    await expect(page.getByText("Nothing is deleted")).toBeVisible();
    // The source still has it not; it stays all the same.
    await page.getByRole("tab", { name: "History" }).click();
    await readTimes(3);
    await expect(page.getByRole("tab", { name: /^Deleted/ })).toContainText("0");

    await page.goto(documentUrl);
    await page.getByRole("button", { name: /^Let .* go$/ }).click();
    await expect(page.getByRole("button", { name: /^Restore / })).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
  } finally {
    await call("connect.remove", { sourceId });
    await rm(path, { recursive: true, force: true });
  }
});
