import { grantUser } from "@anneal/connectors/conformance/fake-microsoft/fake-grants";
import { startFakeMicrosoft } from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { expect, openPage, seriousFindings, test } from "./portal-test.ts";

// It waits for codes, syncs and the worker in turn.
test.setTimeout(180_000);

test("a person signs in with a code for a source, which reads what their account may, until it is revoked", async ({
  page,
  request,
  consoleErrors,
}) => {
  const fake = await startFakeMicrosoft();
  let sourceId: string | undefined;
  try {
    const { tenant, entra } = fake;
    tenant.addUser("ann");
    const drive = tenant.addDrive("Documents");
    tenant.siteDriveIds.push(drive.id);
    for (const [name, owner] of [
      ["hers.md", "ann"],
      ["others.md", null],
    ] as const) {
      tenant.put(drive, name, `About ${name}.`);
      tenant.share(tenant.require(drive, name), owner === null ? [] : [grantUser(tenant, owner)]);
    }
    /** Whatever reaches the browser, but for the stream of live changes, which does not end and carries no data. */
    const received: Promise<string>[] = [];
    page.on("response", (response) => {
      const isStream = response.headers()["content-type"]?.includes("event-stream");
      if (!isStream) received.push(response.text().catch(() => ""));
    });

    await page.goto("/w/default/sources?add=1");
    await page.getByRole("button", { name: /^SharePoint/ }).click();
    const form = page.getByRole("dialog");
    const name = `Site of ann ${Date.now()}`;
    await form.getByLabel("Name").fill(name);
    await form.getByLabel("Directory (tenant) ID").fill(tenant.id);
    await form.getByLabel("Application (client) ID").fill(tenant.clientId);
    await expect(form.getByLabel("Client secret")).toBeVisible();
    await form.getByRole("combobox", { name: /^Permission/ }).click();
    await page.getByRole("option", { name: "delegated" }).click();
    await expect(form.getByLabel("Client secret")).toHaveCount(0);
    await form.getByLabel("Site", { exact: true }).fill("https://contoso.sharepoint.example/sites/team");
    await form.getByLabel("Sign-in address").fill(fake.authorityUrl);
    await form.getByLabel("Graph address").fill(fake.graphUrl);
    await form.getByLabel("Allow private hosts").click();

    await form.getByRole("button", { name: "Add and read" }).click();
    await expect(form.getByRole("alert")).toHaveText("Sign in first.");
    await form.getByRole("button", { name: "Sign in with Microsoft" }).click();
    const signIn = form.getByRole("region", { name: "Sign-in" });
    await expect(signIn.getByRole("link", { name: "https://microsoft.com/devicelogin" })).toBeVisible();
    const first = await signIn.locator("code").innerText();
    entra.decline(first);
    await expect(signIn.getByRole("alert").first()).toContainText("The sign-in was declined.");
    await signIn.getByRole("button", { name: "Get another code" }).click();
    await expect(signIn.locator("code")).not.toHaveText(first);
    expect(await seriousFindings(page)).toEqual([]);
    entra.approve(await signIn.locator("code").innerText(), "ann");
    await expect(signIn.getByRole("status")).toHaveText("Signed in as ann@contoso.example.");
    await form.getByRole("button", { name: "Test" }).click();
    await expect(form.getByText('"Documents" can be read and holds 1 file: hers.md.')).toBeVisible();
    await form.getByRole("combobox", { name: "Default audience" }).click();
    await page.getByRole("option", { name: "Nobody" }).click();
    await form.getByRole("button", { name: "Add and read" }).click();

    await expect(page.getByRole("heading", { level: 1, name })).toBeVisible();
    sourceId = page.url().split("/").at(-1);
    const reads = page.getByRole("table", { name: "Reads" }).getByRole("row");
    await expect(reads.nth(1)).toContainText("Done");
    entra.endGrants("revoked");
    await page.getByRole("button", { name: "Read now" }).click();
    await expect(page.getByRole("alert").first()).toContainText("The sign-in has expired or was revoked");
    await expect(page.getByRole("alert").first()).toContainText("Sign in again");
    expect((await Promise.all(received)).join("\n")).not.toMatch(/(refresh|device)-[0-9a-f]{8}-/);

    await openPage(page, "/sources");
    // The browser's console names the answers that were refused.
    consoleErrors.length = 0;
  } finally {
    if (sourceId !== undefined)
      await request.post("/api/w/default/trpc/connect.remove", { data: { json: { sourceId } } });
    await fake.stop();
  }
});
