import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import type { APIRequestContext, Browser } from "@playwright/test";
import OpenAI from "openai";
import { e2eEnv, withEnv } from "./env.ts";
import { expect, test } from "./portal-test.ts";
import {
  officeKinds,
  people,
  startOfficeSources,
  type OfficeSource,
  type OfficeSources,
  type Person,
} from "./start-office-sources.ts";

// What a source shows to whom, from the source's own server through the whole loop to an answer in chat.
const { url, apiKey, stateDir } = e2eEnv();
const repoDir = join(import.meta.dirname, "../../..");
const run = promisify(execFile);
const name = "office";
const loopLimitMs = 600_000;
test.describe.configure({ mode: "serial", timeout: loopLimitMs + 120_000 });

let office: OfficeSources;
const keys = new Map<Person, string>();
const nameOf = ({ kind }: OfficeSource) => `office ${kind}`;

type Answer = { outcome: string; refused: boolean; citations: { title: string; quote: string }[] };

async function administer(request: APIRequestContext, procedure: string, json: unknown): Promise<unknown> {
  const answer = await request.post(`${url}/api/w/default/trpc/${procedure}`, {
    headers: { authorization: `Bearer ${apiKey}` },
    data: { json },
  });
  expect(answer.status(), await answer.text()).toBe(200);
  return ((await answer.json()) as { result: { data: { json: unknown } } }).result.data.json;
}

/** A member who signs in with a password, and the key that they make for themselves. */
async function addPerson(browser: Browser, request: APIRequestContext, person: Person): Promise<string> {
  const password = randomBytes(12).toString("hex");
  await administer(request, "access.addMember", { email: people[person], name: person, role: "member", password });
  const context = await browser.newContext({ storageState: { cookies: [], origins: [] } });
  const page = await context.newPage();
  await page.goto(`${url}/sign-in`);
  await page.getByLabel("E-mail").fill(people[person]);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
  const made = await page.request.post(`${url}/api/w/default/trpc/access.createKey`, {
    data: { json: { name: "chat", days: 1 } },
  });
  const { result } = (await made.json()) as { result: { data: { json: { key: string } } } };
  await context.close();
  return result.data.json.key;
}

test.beforeAll(async ({ browser, playwright }) => {
  test.skip(stateDir === undefined, "ANNEAL_E2E_STATE_DIR does not name the state folder of a running stack.");
  test.setTimeout(loopLimitMs);
  office = await startOfficeSources();
  const request = await playwright.request.newContext();
  for (const person of ["ann", "bob"] as const) keys.set(person, await addPerson(browser, request, person));
  await request.dispose();
});

test.afterAll(async ({ playwright }) => {
  if (office === undefined) return;
  const request = await playwright.request.newContext({ extraHTTPHeaders: { authorization: `Bearer ${apiKey}` } });
  const query = async (procedure: string) =>
    (
      (await (await request.get(`${url}/api/w/default/trpc/${procedure}`)).json()) as {
        result: { data: { json: never } };
      }
    ).result.data.json;
  for (const source of (await query("connect.list")) as { id: string; name: string }[])
    if (source.name.startsWith("office ")) await administer(request, "connect.remove", { sourceId: source.id });
  for (const member of (await query("access.members")) as { userId: string; email: string }[])
    if (Object.values<string>(people).includes(member.email))
      await administer(request, "access.removeMember", { userId: member.userId });
  await request.dispose();
  await office.stop();
});

for (const kind of officeKinds)
  test(`the ${kind} source is added and read from the command line`, async () => {
    const reason = office.impossible.get(kind);
    test.skip(reason !== undefined, reason);
    const source = office.sources.find((each) => each.kind === kind)!;
    const secrets = Object.entries(source.secrets).map(
      ([field, value]) => [field, `OFFICE_${field.toUpperCase()}`, value] as const,
    );
    const env = withEnv({
      ANNEAL_STATE_DIR: stateDir!,
      ...Object.fromEntries(secrets.map(([, variable, value]) => [variable, value])),
    });
    const anneal = async (...args: string[]) =>
      (await run(process.execPath, [join(repoDir, "apps/cli/src/main.ts"), "connect", ...args], { env })).stdout;
    const settings = Object.entries(source.settings)
      .filter(([, value]) => value !== null)
      .flatMap(([field, value]) => [
        "--set",
        `${field}=${typeof value === "object" ? JSON.stringify(value) : String(value)}`,
      ]);
    const audience = source.audience === undefined ? [] : ["--audience", source.audience];
    const credentials = secrets.flatMap(([field, variable]) => ["--secret", `${field}=env:${variable}`]);
    const add = ["add", source.kind, "--name", nameOf(source), ...settings, ...credentials, ...audience];
    expect(await anneal(...add, "--dry-run")).toContain(`would be added as “${nameOf(source)}”`);
    expect(await anneal("list")).not.toContain(nameOf(source));
    expect(await anneal(...add)).toContain(`“${nameOf(source)}” is added`);
    expect(await anneal("check", nameOf(source))).toContain("✓");
    const synced = await anneal("sync", nameOf(source));
    expect(synced).toContain("1 seen: 1 new, 0 changed, 0 unchanged, 0 deleted, 0 failed");
    expect(synced).toContain(`\`anneal connect index ${JSON.stringify(nameOf(source))}\``);
  });

test("the loop goes round with what they hold", async ({ request }) => {
  const listed = (await (
    await request.get(`${url}/api/w/default/trpc/connect.list`, { headers: { authorization: `Bearer ${apiKey}` } })
  ).json()) as { result: { data: { json: { id: string; name: string }[] } } };
  const sourceIds = listed.result.data.json.filter((each) => each.name.startsWith("office ")).map(({ id }) => id);
  expect(sourceIds).toHaveLength(office.sources.length);
  const { runId } = (await administer(request, "loop.start", {
    sourceIds,
    datasetName: name,
    adapterName: name,
    assistantName: name,
    generatedPassages: 0,
    training: { maxSteps: 2, rank: 8 },
  })) as { runId: string };
  const input = encodeURIComponent(JSON.stringify({ json: { runId } }));
  await expect(async () => {
    const answer = await request.get(`${url}/api/w/default/trpc/loop.get?input=${input}`, {
      headers: { authorization: `Bearer ${apiKey}` },
    });
    const { result } = (await answer.json()) as { result: { data: { json: { status: string; error: unknown } } } };
    expect(result.data.json.status, JSON.stringify(result.data.json.error)).toBe("done");
  }).toPass({ timeout: loopLimitMs, intervals: [500] });
});

test("each document is found in chat by those who may see it, and by nobody else", async () => {
  for (const person of ["ann", "bob"] as const) {
    const client = new OpenAI({ baseURL: `${url}/api/v1`, apiKey: keys.get(person)!, maxRetries: 0 });
    for (const { kind, question, fact, readers } of office.sources) {
      const completion = await client.chat.completions.create({
        model: name,
        messages: [{ role: "user", content: question }],
      });
      const { anneal } = completion as unknown as { anneal: Answer };
      const said = JSON.stringify(completion);
      const label = `${person} asks about ${kind}: ${said}`;
      if (readers.includes(person)) {
        expect(anneal.citations.map(({ quote }) => quote).join(" "), label).toContain(fact);
      } else {
        // Neither in the answer nor in what is cited nor in what was looked at.
        expect(said, label).not.toContain(fact);
      }
    }
  }
});
