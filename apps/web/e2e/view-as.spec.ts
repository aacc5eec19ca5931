import { randomUUID } from "node:crypto";
import type { APIRequestContext } from "@playwright/test";
import { grantUser } from "@anneal/connectors/conformance/fake-microsoft/fake-grants";
import { startFakeMicrosoft } from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { mutate, query } from "./portal-api.ts";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

const domain = "example.com";

test("an administrator sees the documents as a member does: what they may read, and nothing else", async ({
  page,
  request,
  browser,
  baseURL,
}) => {
  const unique = randomUUID().slice(0, 8);
  const [ann, bob] = [`ann-${unique}`, `bob-${unique}`];
  const password = randomUUID();
  const fake = await startFakeMicrosoft();
  let sourceId: string | undefined;
  let userId: string | undefined;
  try {
    const { tenant } = fake;
    tenant.verifiedDomains = [domain];
    for (const name of [ann, bob]) tenant.addUser(name);
    const drive = tenant.addDrive("Documents");
    tenant.siteDriveIds.push(drive.id);
    for (const [title, readers] of Object.entries({ hers: [ann], shared: [ann, bob], his: [bob], sealed: [] })) {
      const item = tenant.put(drive, `${title}-${unique}.md`, `# ${title}\n\nAbout ${title}.\n`);
      tenant.share(
        item,
        readers.map((reader) => grantUser(tenant, reader)),
      );
    }
    await mutate(request, "access.addMember", { email: `${ann}@${domain}`, name: ann, role: "member", password });
    const members = await query<{ userId: string; name: string }[]>(request, "access.members", null);
    userId = members.find(({ name }) => name === ann)!.userId;
    ({ sourceId } = await mutate<{ sourceId: string }>(request, "connect.create", {
      name: `Shared site ${unique}`,
      kind: "sharepoint",
      config: {
        tenantId: tenant.id,
        clientId: tenant.clientId,
        siteUrl: "https://contoso.sharepoint.example/sites/team",
        graphUrl: fake.graphUrl,
        authorityUrl: fake.authorityUrl,
        allowPrivateHosts: true,
      },
      secrets: { clientSecret: tenant.clientSecret },
      audience: "members",
      schedule: null,
    }));
    await mutate(request, "connect.sync", { sourceId });

    const table = page.getByRole("table");
    const shown = (title: string) => table.getByText(`${title}-${unique}`).first();
    await openPage(page, `/documents?source=${sourceId}`);
    for (const title of ["hers", "shared", "his", "sealed"]) await expect(shown(title)).toBeVisible();

    await page.getByRole("combobox", { name: "View as a member" }).click();
    await page.getByRole("option", { name: `As ${ann}` }).click();
    await expect(page.getByRole("status").filter({ hasText: `As ${ann} sees it` })).toBeVisible();
    await expect(page).toHaveURL(new RegExp(`as=${userId}`));
    for (const title of ["hers", "shared"]) await expect(shown(title)).toBeVisible();
    for (const title of ["his", "sealed"]) await expect(shown(title)).toHaveCount(0);
    expect(await seriousFindings(page)).toEqual([]);

    // The member's own list, from their own session, is the same.
    const context = await browser.newContext({ storageState: { cookies: [], origins: [] }, baseURL: baseURL! });
    const theirs = await context.newPage();
    await theirs.goto("/sign-in");
    await theirs.getByLabel("E-mail").fill(`${ann}@${domain}`);
    await theirs.getByLabel("Password", { exact: true }).fill(password);
    await theirs.getByRole("button", { name: "Sign in", exact: true }).click();
    await expect(theirs.getByRole("navigation", { name: "Main" })).toBeVisible();
    const listOf = async (from: APIRequestContext, input: object) =>
      (
        await query<{ rows: { id: string }[] }>(from, "documents.list", { sourceId, limit: 50, offset: 0, ...input })
      ).rows.map(({ id }) => id);
    const own = await listOf(theirs.request, {});
    expect(own).toHaveLength(2);
    expect(await listOf(request, { viewAs: userId })).toEqual(own);
    await context.close();

    await page.getByRole("button", { name: "Back to your view" }).click();
    await expect(shown("his")).toBeVisible();
    await openPage(page, "/audit");
    await expect(page.getByText(`user:${ann}@${domain}`).first()).toBeVisible();
  } finally {
    if (sourceId !== undefined) await mutate(request, "connect.remove", { sourceId });
    if (userId !== undefined) await mutate(request, "access.removeMember", { userId });
    await fake.stop();
  }
});
