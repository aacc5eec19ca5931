import { randomUUID } from "node:crypto";
import { grantGroup } from "@anneal/connectors/conformance/fake-microsoft/fake-grants";
import { startFakeMicrosoft } from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { e2eEnv } from "./env.ts";
import { mutate, query } from "./portal-api.ts";
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

test("a failure is explained and read with a click, and a document tells where it lies and by which group whom it admits", async ({
  page,
  request,
}) => {
  const unique = randomUUID().slice(0, 8);
  const name = `ann-${unique}`;
  const email = `${name}@example.com`;
  const fake = await startFakeMicrosoft();
  let sourceId: string | undefined;
  let userId: string | undefined;
  try {
    const { tenant } = fake;
    tenant.verifiedDomains = ["example.com"];
    const { id } = tenant.addUser(name);
    const finance = { id: randomUUID(), displayName: "Finance", groupTypes: [], members: [id], owners: [] };
    tenant.groups.set("Finance", finance);
    const drive = tenant.addDrive("Documents");
    tenant.siteDriveIds.push(drive.id);
    tenant.put(drive, `Reports/plan-${unique}.md`, "# Plan\n\nWhat is planned.\n");
    const locked = tenant.put(drive, `Reports/locked-${unique}.md`, "# Locked\n\nWhat was locked.\n");
    const inheritedFrom = { path: `/drives/${drive.id}/root:/Reports` };
    tenant.share(tenant.require(drive, "Reports"), [{ ...grantGroup(tenant, "Finance"), inheritedFrom }]);
    tenant.brokenContent.add(locked.id);
    await mutate(request, "access.addMember", { email, name, role: "member", password: randomUUID() });
    const members = await query<{ userId: string; name: string }[]>(request, "access.members", null);
    userId = members.find((member) => member.name === name)!.userId;
    ({ sourceId } = await mutate<{ sourceId: string }>(request, "connect.create", {
      name: `Reports ${unique}`,
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

    await openPage(page, `/sources/${sourceId}`);
    const reads = page.getByRole("table", { name: "Reads" }).getByRole("row");
    await page.getByRole("button", { name: "Read now" }).click();
    await reads.nth(1).getByRole("button", { name: "1 failure: show each" }).click();
    const failure = page.getByRole("list", { name: "Failures" }).getByRole("listitem");
    await expect(failure).toContainText("locked");
    expect(await seriousFindings(page)).toEqual([]);
    tenant.brokenContent.delete(locked.id);
    await failure.getByRole("button", { name: /^Try again: / }).click();
    await expect(page.getByText("The source is read again for 1 document; the next run parses it.")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(reads).toHaveCount(3);
    await expect(reads.nth(1)).toContainText("Done");
    await expect(reads.nth(1).getByRole("button", { name: /failure/ })).toHaveCount(0);

    await openPage(page, `/documents?source=${sourceId}`);
    await page.getByRole("link", { name: `locked-${unique}` }).click();
    await expect(page.getByRole("link", { name: "opens the source in a new tab" })).toHaveAttribute(
      "href",
      new RegExp(`^https://.*locked-${unique}`),
    );
    await expect(page.getByText("Inherited from /Reports", { exact: true })).toBeVisible();
    await expect(page.getByText(/^Admitted through Finance, as ann-.*, inherited from \/Reports/)).toBeVisible();
    expect(await seriousFindings(page)).toEqual([]);
  } finally {
    if (sourceId !== undefined) await mutate(request, "connect.remove", { sourceId });
    if (userId !== undefined) await mutate(request, "access.removeMember", { userId });
    await fake.stop();
  }
});
