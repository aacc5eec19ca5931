import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { afterEach, expect, it } from "vitest";
import { createCertificate } from "../../conformance/create-certificate.ts";
import { createDriveHarness, type DriveHarness } from "../../conformance/fake-microsoft/create-drive-harness.ts";
import { createTestClock } from "../../conformance/test-clock.ts";
import { testContext } from "../../conformance/test-context.ts";
import { sharepointConfigSchema, type SharepointConfig } from "./config.ts";
import { sharepointConnector } from "./sharepoint-connector.ts";

let harness: DriveHarness<SharepointConfig>;
afterEach(() => harness.close());

it("knows a site's other groups while a gateway gives up on one's members, and names that one", async () => {
  harness = await createDriveHarness(sharepointConnector, {
    configOf: ({ tenant, graphUrl, authorityUrl }) =>
      sharepointConfigSchema.parse({
        tenantId: tenant.id,
        clientId: tenant.clientId,
        siteUrl: "https://contoso.sharepoint.example/sites/team",
        graphUrl,
        authorityUrl,
        allowPrivateHosts: true,
      }),
    addDrive: ({ tenant }) => tenant.addDrive("Documents"),
    fault: "locked",
  });
  const { tenant, trouble } = harness.fake;
  const { key, cert } = await createCertificate("anneal");
  tenant.certificate = key + cert;
  for (const [id, name] of ["ann", "bob"].entries()) {
    tenant.siteGroups.set(id, { title: `Group of ${name}`, logins: [`i:0#.f|membership|${name}@contoso.example`] });
  }
  const listDirectory = async (clock = createTestClock()) => {
    const { config } = harness;
    const request = { config, secrets: { certificate: key + cert }, context: { ...testContext(), clock } };
    const entries: DirectoryEntry[] = [];
    for await (const entry of sharepointConnector.readDirectory!(request)) entries.push(entry);
    return entries;
  };
  trouble.begin(null);
  const whole = await listDirectory();
  const on = trouble.places.find((place) => place.includes("sitegroups(0)/users"))!;
  const clock = createTestClock();
  trouble.begin({ kind: "given up", on }, clock);
  const told = await listDirectory(clock);
  const isGroupOfAnn = (entry: DirectoryEntry) => entry.type === "group" && entry.name === "Group of ann";
  expect(told.filter(({ type }) => type !== "failure")).toEqual(whole.filter((entry) => !isGroupOfAnn(entry)));
  expect(told.filter(({ type }) => type === "failure")).toMatchObject([
    { error: { code: "SOURCE_UNREACHABLE", message: expect.stringContaining('"Group of ann"') } },
  ]);
});
