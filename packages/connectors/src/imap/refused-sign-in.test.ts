import { describe, expect, it } from "vitest";
import { imapConfigSchema } from "./config.ts";
import { applicationScope, delegatedScope } from "./exchange-online.ts";
import { refusedSignIn } from "./refused-sign-in.ts";

const id = "00000000-0000-4000-8000-000000000000";
const configOf = (changes: Record<string, unknown> = {}) =>
  imapConfigSchema.parse({
    host: "outlook.office365.com",
    user: "ann@contoso.com",
    authentication: "microsoft-application",
    tenantId: id,
    clientId: id,
    ...changes,
  });
const refusal = Object.assign(new Error("Command failed"), { response: "AUTHENTICATE failed.", responseStatus: "NO" });
const tokenWith = (claims: object) => `header.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.signature`;

describe("a refused sign-in", () => {
  it("is put down to the permission where the token says that it is not granted, otherwise to what comes after it", () => {
    const actionOf = (token: string) => refusedSignIn(configOf(), refusal, token).action;
    for (const claims of [{ aud: "x" }, { roles: ["Mail.Read"] }]) {
      expect(actionOf(tokenWith(claims))).toMatch(/^Under API permissions .* IMAP\.AccessAsApp .* grant admin consent/);
    }
    for (const token of [tokenWith({ roles: ["IMAP.AccessAsApp"] }), tokenWith({ roles: "?" }), "opaque", "a.b.c"]) {
      expect(actionOf(token)).toContain(`New-ServicePrincipal -AppId ${id} -ObjectId`);
      expect(actionOf(token)).toContain("Add-MailboxPermission -Identity ann@contoso.com");
    }
  });

  it("repeats neither the token nor what the server said", () => {
    const response = "NO said <script> token-secret-value IMAP is not enabled for you";
    const error = refusedSignIn(configOf(), Object.assign(new Error("x"), { response }), "token-secret-value");
    expect(error).toMatchObject({ code: "SOURCE_FORBIDDEN" });
    expect(JSON.stringify(error.toReport())).not.toMatch(/script|token-secret-value/);
  });

  it("of a password at Exchange Online names the ways that there are", () => {
    const config = configOf({ authentication: "password" });
    expect(refusedSignIn(config, refusal, null).action).toMatch(/microsoft-delegated or microsoft-application/);
  });
});

describe("what is asked for", () => {
  it("is what Microsoft names for each permission, and the mail server's own in a national cloud", () => {
    const scopes = (host: string) => [delegatedScope({ host }), applicationScope({ host })];
    expect(scopes("Outlook.Office365.com")).toEqual([
      "https://outlook.office.com/IMAP.AccessAsUser.All",
      "https://outlook.office365.com/.default",
    ]);
    expect(scopes("outlook.office365.us")).toEqual([
      "https://outlook.office365.us/IMAP.AccessAsUser.All",
      "https://outlook.office365.us/.default",
    ]);
  });
});
