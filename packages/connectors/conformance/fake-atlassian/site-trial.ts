import { expect } from "vitest";
import type { Connector } from "../../src/connector.ts";
import type { AtlassianSecrets, ConfluenceConfig } from "../../src/atlassian/config.ts";
import { MemoryDirectory } from "../memory-directory.ts";
import { MemoryTarget } from "../memory-target.ts";
import type { TestClock } from "../test-clock.ts";
import { testContext } from "../test-context.ts";
import type { FakeSite } from "./fake-site.ts";
import { readersAmong } from "./site-people.ts";

type SignIn = Pick<
  ConfluenceConfig,
  "deployment" | "url" | "auth" | "email" | "clientId" | "user" | "authorityUrl" | "allowPrivateHosts"
>;

/** How the account of the tests signs in: with an API token, or a personal access token. */
export function signInTo(site: FakeSite): SignIn {
  const isCloud = site.deployment === "cloud";
  return {
    deployment: site.deployment,
    url: site.url,
    auth: isCloud ? "api-token" : "bearer",
    email: isCloud ? (site.bot.email ?? "") : "",
    clientId: "",
    user: "",
    authorityUrl: null,
    allowPrivateHosts: true,
  };
}

/** The same account of the cloud, as a service account. */
export function serviceAccountOf({ url, credential }: FakeSite): {
  config: Partial<SignIn>;
  secrets: AtlassianSecrets;
} {
  const { clientId, clientSecret } = credential;
  return { config: { auth: "service-account", email: "", clientId, authorityUrl: url }, secrets: { clientSecret } };
}

/** What the tests of both products do with a connector and a site. */
export function createTrial<Config extends SignIn>(
  connector: Connector<Config, AtlassianSecrets>,
  site: FakeSite,
  configOf: (change?: Partial<Config>) => Config,
) {
  const context = testContext();
  const secrets: AtlassianSecrets = { token: site.token };
  const directoryOf = (config = configOf()) =>
    MemoryDirectory.read(connector.readDirectory!({ config, secrets, context }));
  const check = (change: Partial<Config> = {}, given = secrets) => connector.check(configOf(change), given, context);
  return {
    secrets,
    configOf,
    directoryOf,
    check,
    async sync(target = new MemoryTarget(), config = configOf(), given = secrets, clock?: TestClock) {
      const { cursor } = target;
      const request = { config, secrets: given, cursor, known: target.known() };
      await target.apply(
        connector.read({ ...request, context: clock === undefined ? context : { ...context, clock } }),
      );
      return target;
    },
    readersOf: async (target: MemoryTarget, ref: string, config = configOf()) =>
      readersAmong(target.documents.get(ref)?.item.acl, await directoryOf(config)),

    /** A check fails with its reason, and repeats no secret. */
    async expectRefusals() {
      const codeOf = async (change: Partial<SignIn>) => (await check(change as Partial<Config>)).error?.code;
      expect(await codeOf({ url: "http://127.0.0.1:2" })).toBe("SOURCE_UNREACHABLE");
      expect(await codeOf({ allowPrivateHosts: false })).toBe("SOURCE_FORBIDDEN");
      const isCloud = site.deployment === "cloud";
      expect(await codeOf(isCloud ? { email: "" } : { auth: "api-token" })).toBe("INVALID_INPUT");
      expect((await check({}, {})).error?.code).toBe("INVALID_INPUT");
      const wrong = await check({}, { token: "very-secret-value" });
      expect(wrong.error?.code).toBe("SOURCE_CREDENTIALS");
      expect(JSON.stringify(wrong)).not.toContain("very-secret-value");
    },
  };
}

/** The same numbers in every run, each below what it is asked for. */
export function fixedSequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
