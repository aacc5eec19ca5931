import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFakeConfluence, type FakeConfluence } from "../../conformance/fake-atlassian/fake-confluence.ts";
import { addPeople } from "../../conformance/fake-atlassian/site-people.ts";
import { createTrial, serviceAccountOf, signInTo } from "../../conformance/fake-atlassian/site-trial.ts";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { testContext } from "../../conformance/test-context.ts";
import { confluenceConfigSchema, type ConfluenceConfig } from "./config.ts";
import { confluenceConnector } from "./confluence-connector.ts";

const issuesToken = (line: string) => line === "POST /oauth/token";

describe("a service account of Atlassian's cloud", () => {
  let fake: FakeConfluence;
  let trial: ReturnType<typeof createTrial<ConfluenceConfig>>;
  let clientSecret: string;
  beforeEach(async () => {
    fake = await startFakeConfluence("cloud");
    addPeople(fake.site, "confluence-users");
    const users = fake.site.groupIdOf("confluence-users");
    fake.entrances.add(users);
    const space = fake.addSpace("KB", { users: [], groups: [users] });
    for (const title of ["Plan", "Report"]) fake.add(space, { title, body: "<p>x</p>" });
    clientSecret = fake.site.credential.clientSecret;
    trial = createTrial(confluenceConnector, fake.site, (change = {}) =>
      confluenceConfigSchema.parse({
        ...signInTo(fake.site),
        ...serviceAccountOf(fake.site).config,
        spaces: ["KB"],
        ...change,
      }),
    );
  });
  afterEach(() => fake.close());

  it("is read from with one token for all requests", async () => {
    const target = await trial.sync(new MemoryTarget(), undefined, { clientSecret });
    expect(target.documents.size).toBe(2);
    expect(target.failures).toEqual([]);
    expect(fake.site.takeLog().filter(issuesToken)).toHaveLength(1);
  });

  it("outlives its token: one that ends in the middle of a sync is renewed, and that is counted", async () => {
    fake.site.beforeOnce(
      ({ path }) => path.includes("/pages"),
      () => fake.site.expireTokens(),
    );
    const renewals: boolean[] = [];
    const target = new MemoryTarget();
    const context = {
      ...testContext(),
      onRemoteEvent: (event: { type: string; ok?: boolean }) =>
        void (event.type === "renewal" && renewals.push(event.ok === true)),
    };
    const request = {
      config: trial.configOf(),
      secrets: { clientSecret },
      cursor: null,
      known: target.known(),
      context,
    };
    await target.apply(confluenceConnector.read(request));
    expect(target.documents.size).toBe(2);
    expect(target.failures).toEqual([]);
    expect(fake.site.takeLog().filter(issuesToken)).toHaveLength(2);
    expect(renewals).toEqual([true]);
  });

  it("says which credential is refused, and repeats none of it", async () => {
    const wrong = await trial.check({}, { clientSecret: "very-secret-value" });
    expect(wrong.error).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      message: expect.stringContaining("access_denied"),
      action: expect.stringContaining("Service accounts"),
    });
    expect(JSON.stringify(wrong)).not.toContain("very-secret-value");
    expect((await trial.check({ clientId: "" }, { clientSecret })).error?.code).toBe("INVALID_INPUT");
    expect((await trial.check({}, {})).error?.code).toBe("INVALID_INPUT");
  });

  it("is sent to api.atlassian.com from the site's own address, and from Data Center to its own tokens", async () => {
    const site = { url: "https://acme.atlassian.net", authorityUrl: null };
    const refused = await trial.check(site, { clientSecret });
    expect(refused.error).toMatchObject({ code: "INVALID_INPUT", action: expect.stringContaining("/ex/confluence/") });
    const dataCenter = await trial.check({ deployment: "data-center" }, { clientSecret });
    expect(dataCenter.error).toMatchObject({ code: "INVALID_INPUT", action: expect.stringContaining("bearer") });
    expect(fake.site.takeLog()).toEqual([]);
  });
});

it("still takes the access token of a source that was stored, and once it has ended says what to enter instead", async () => {
  const fake = await startFakeConfluence("cloud");
  try {
    const stored = { url: fake.site.url, auth: "bearer", allowPrivateHosts: true };
    const config = confluenceConfigSchema.parse(stored);
    const { error } = await confluenceConnector.check(config, { token: "ended" }, testContext());
    expect(error).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      action: expect.stringMatching(/ends after an hour: choose service-account/),
    });
  } finally {
    await fake.close();
  }
});
