import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startFakeMicrosoft, type FakeMicrosoft } from "../../conformance/fake-microsoft/start-fake-microsoft.ts";
import { testContext } from "../../conformance/test-context.ts";
import type { DeviceSignIn } from "../device-sign-in.ts";
import { sharepointConfigSchema, type SharepointConfig } from "./config.ts";
import { sharepointScopes } from "./delegated-scopes.ts";
import { createMicrosoftSignIn } from "./device-sign-in.ts";

describe("signing in with a code", () => {
  let fake: FakeMicrosoft;
  const opened: DeviceSignIn[] = [];
  beforeEach(async () => {
    fake = await startFakeMicrosoft();
    fake.tenant.addUser("ann");
  });
  afterEach(async () => {
    for (const signIn of opened.splice(0)) await signIn.close();
    await fake.stop();
  });

  const open = (changes: Partial<SharepointConfig> = {}, scopes: readonly string[] = sharepointScopes) => {
    const { tenant, graphUrl, authorityUrl } = fake;
    const config = sharepointConfigSchema.parse({
      tenantId: tenant.id,
      clientId: tenant.clientId,
      permission: "delegated",
      siteUrl: "https://contoso.sharepoint.example/sites/team",
      graphUrl,
      authorityUrl,
      allowPrivateHosts: true,
      ...changes,
    });
    const signIn = createMicrosoftSignIn(config, new URL(graphUrl).origin, scopes, testContext());
    opened.push(signIn);
    return signIn;
  };
  const errorOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => error,
    );

  it("tells the code and the address as the service does, waits, and then has a refresh token", async () => {
    const signIn = open();
    const code = await signIn.begin();
    expect(code).toMatchObject({ verificationUri: "https://microsoft.com/devicelogin", expiresInMs: 900_000 });
    expect(await signIn.poll(code)).toEqual({ status: "pending", intervalMs: code.intervalMs });
    expect(fake.entra.approve(code.userCode, "ann")).toBe("signed in");
    expect(await signIn.poll(code)).toEqual({
      status: "done",
      account: "ann@contoso.example",
      secrets: {
        refreshToken: expect.stringMatching(/^refresh-/) as string,
        account: "ann@contoso.example",
        accountId: fake.tenant.users.get("ann")!.id,
      },
    });
    // A code is exchanged once.
    expect(await errorOf(signIn.poll(code))).toMatchObject({ code: "SOURCE_CREDENTIALS" });
  });

  it("asks less often where the service asks for that", async () => {
    fake.entra.intervalS = 60;
    const signIn = open();
    const code = await signIn.begin();
    expect(code.intervalMs).toBe(60_000);
    await signIn.poll(code);
    expect(await signIn.poll(code)).toEqual({ status: "pending", intervalMs: 65_000 });
  });

  it("says that it was declined, and that the code has expired", async () => {
    const signIn = open();
    const declined = await signIn.begin();
    fake.entra.decline(declined.userCode);
    expect(await errorOf(signIn.poll(declined))).toMatchObject({
      code: "SOURCE_FORBIDDEN",
      message: "The sign-in was declined.",
    });
    const late = await signIn.begin();
    fake.entra.expireCodes();
    expect(await errorOf(signIn.poll(late))).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      message: "The code has expired before anybody signed in with it.",
    });
  });

  it("asks only for what an account may consent to by itself", async () => {
    const signIn = open();
    const code = await signIn.begin();
    expect(fake.entra.approve(code.userCode, "ann")).toBe("signed in");
    const more = open({}, [...sharepointScopes, "GroupMember.Read.All"]);
    expect(fake.entra.approve((await more.begin()).userCode, "ann")).toBe("needs an administrator");
  });

  it("says what to set where the app, the tenant or the registration is another, and repeats no code", async () => {
    fake.entra.allowsPublicClient = false;
    const signIn = open();
    const code = await signIn.begin();
    const error = await errorOf(signIn.poll(code));
    expect(error).toMatchObject({
      code: "SOURCE_CREDENTIALS",
      action: expect.stringContaining("Allow public client flows") as string,
      details: { code: "AADSTS7000218" },
    });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(code.deviceCode);
    const clientId = "11111111-1111-4111-8111-111111111111";
    expect(await errorOf(open({ clientId }).begin())).toMatchObject({ details: { code: "AADSTS700016" } });
    expect(await errorOf(open({ tenantId: clientId }).begin())).toMatchObject({ details: { code: "AADSTS90002" } });
  });
});
