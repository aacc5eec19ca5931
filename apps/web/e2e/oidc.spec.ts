import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, type Page } from "@playwright/test";
import { choosePort } from "@anneal/processes/choose-port";
import { e2eEnv } from "./env.ts";
import { startOidcServer, type OidcServer } from "./start-oidc-server.ts";
import { startSecondPortal } from "./start-second-portal.ts";

// Sign-in through a provider that is nobody's in particular: what holds here holds for any that speaks OpenID Connect.
const { stateDir = "" } = e2eEnv();
type Access = { email: string; apiKey: string; workspace: string };
let administrator: Access;
let portalUrl: string;
let oidc: OidcServer;
let stopPortal = async () => {};

test.skip(stateDir === "", "ANNEAL_E2E_STATE_DIR does not name the state folder of a running stack.");
test.skip(process.platform !== "linux", "The second portal takes its settings from /proc.");
// Nobody is signed in at first, whatever the other specs share.
test.use({ storageState: { cookies: [], origins: [] } });

test.beforeAll(async () => {
  administrator = JSON.parse(await readFile(join(stateDir, "access.json"), "utf8")) as Access;
  const port = await choosePort(undefined);
  portalUrl = `http://localhost:${port}`;
  oidc = await startOidcServer(`${portalUrl}/api/auth/callback/oidc`);
  stopPortal = await startSecondPortal(stateDir, {
    port,
    settings: {
      NEXTAUTH_URL: portalUrl,
      ANNEAL_OIDC_ISSUER: oidc.issuer,
      ANNEAL_OIDC_CLIENT_ID: oidc.clientId,
      ANNEAL_OIDC_CLIENT_SECRET: oidc.clientSecret,
    },
  });
});

test.afterAll(async () => {
  await stopPortal();
  await oidc?.stop();
});

test("lets a stranger in as far as the door, and a member in with a member's rights", async ({ page, request }) => {
  const email = `kim-${randomUUID()}@example.com`;
  oidc.people.set("kim", { email: email.toUpperCase(), email_verified: true, name: "Kim Osei" });
  await signIn(page, "kim");

  await expect(page.getByText("not a member of a workspace yet")).toBeVisible();
  await expect(page.getByText(`Ask an administrator to add ${email}`)).toBeVisible();
  expect((await query(page, "access.keys")).code).toBe("UNAUTHENTICATED");
  expect((await page.goto(`${portalUrl}/w/${administrator.workspace}`))?.status()).toBe(404);

  const added = await request.post(procedureUrl("access.addMember"), {
    headers: { authorization: `Bearer ${administrator.apiKey}` },
    data: { json: { email, name: "Kim Osei", role: "member" } },
  });
  expect(added.status()).toBe(200);
  try {
    await page.goto(portalUrl);
    await expect(page).toHaveURL(`${portalUrl}/w/${administrator.workspace}`);
    await expect(page.getByRole("navigation", { name: "Main" })).toBeVisible();
    expect((await query(page, "access.keys")).code).toBe("ok");

    // The page shows what is theirs, and what they may not do is refused behind it as well.
    await page.goto(`${portalUrl}/w/${administrator.workspace}/access`);
    await expect(page.getByRole("tab", { name: "API keys" })).toBeVisible();
    await expect(page.getByRole("tab", { name: "Members" })).toHaveCount(0);
    expect((await query(page, "access.members")).code).toBe("FORBIDDEN");
    const promoted = await page.request.post(procedureUrl("access.addMember"), {
      data: { json: { email, name: "Kim Osei", role: "admin" } },
    });
    expect(promoted.status()).toBe(403);
    expect((await page.request.get(`${portalUrl}/api/w/${administrator.workspace}/audit`)).status()).toBe(403);

    const made = await page.request.post(procedureUrl("access.createKey"), {
      data: { json: { name: "scraper", days: 1 } },
    });
    const { result } = (await made.json()) as { result: { data: { json: { key: string } } } };
    const metrics = await request.get(`${portalUrl}/metrics`, {
      headers: { authorization: `Bearer ${result.data.json.key}` },
    });
    expect(metrics.status()).toBe(403);
  } finally {
    await removeMember(email);
  }
  // Removed means out with the next click, not with the next sign-in.
  expect((await query(page, "access.keys")).code).toBe("UNAUTHENTICATED");
});

for (const unverified of [false, "false", undefined]) {
  test(`refuses an address with email_verified ${JSON.stringify(unverified) ?? "left out"}, be it the administrator's`, async ({
    page,
  }) => {
    oidc.people.set("mallory", { email: administrator.email, email_verified: unverified, name: "Mallory" });
    await signIn(page, "mallory");
    const notice = page.getByRole("alert").filter({ hasText: "has not confirmed your e-mail address" });
    await expect(notice).toContainText("Confirm it there, then sign in again.");
    expect(await sessionOf(page)).toEqual({});
    expect((await query(page, "access.keys")).code).toBe("UNAUTHENTICATED");
  });
}

test("says so when the provider sends no address", async ({ page }) => {
  oidc.people.set("nobody", { name: "Nobody" });
  await signIn(page, "nobody");
  await expect(page.getByRole("alert").filter({ hasText: "which e-mail address you have" })).toBeVisible();
  expect(await sessionOf(page)).toEqual({});
});

test("comes back with words when the person changes their mind at the provider", async ({ page }) => {
  await page.goto(`${portalUrl}/sign-in`);
  await page.getByRole("button", { name: "Continue with localhost" }).click();
  await page.getByRole("link", { name: "Cancel" }).click();
  await expect(page.getByRole("alert").filter({ hasText: "Single sign-on did not complete" })).toBeVisible();
});

async function signIn(page: Page, name: string): Promise<void> {
  await page.goto(portalUrl);
  await page.getByRole("button", { name: "Continue with localhost" }).click();
  await page.getByPlaceholder("Enter any login").fill(name);
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
  await page.waitForURL(`${portalUrl}/**`);
}

function procedureUrl(procedure: string): string {
  return `${portalUrl}/api/w/${administrator.workspace}/trpc/${procedure}`;
}

/** Asks a procedure as whoever is signed in; the code of our error when it refuses. */
async function query(page: Page, procedure: string): Promise<{ code: string }> {
  const body = (await (await page.request.get(procedureUrl(procedure))).json()) as {
    error?: { json: { data: { report: { code: string } } } };
  };
  return { code: body.error?.json.data.report.code ?? "ok" };
}

async function sessionOf(page: Page): Promise<unknown> {
  return (await page.request.get(`${portalUrl}/api/auth/session`)).json();
}

async function removeMember(email: string): Promise<void> {
  const headers = { authorization: `Bearer ${administrator.apiKey}`, "content-type": "application/json" };
  const listed = (await (await fetch(procedureUrl("access.members"), { headers })).json()) as {
    result: { data: { json: { userId: string; email: string }[] } };
  };
  const member = listed.result.data.json.find((each) => each.email === email);
  const body = JSON.stringify({ json: { userId: member?.userId } });
  const removed = await fetch(procedureUrl("access.removeMember"), { method: "POST", headers, body });
  expect(removed.status).toBe(200);
}
