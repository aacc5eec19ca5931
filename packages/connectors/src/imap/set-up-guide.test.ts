import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { imapConfigSchema } from "./config.ts";
import { applicationPermission, delegatedPermission, isExchangeOnline } from "./exchange-online.ts";
import { refusedSignIn } from "./refused-sign-in.ts";
import { gmailScopes } from "./sign-in.ts";

const guide = readFileSync(new URL("../../../../docs/connectors/imap.md", import.meta.url), "utf8");
const id = "00000000-0000-4000-8000-000000000000";

describe("the guide to mailboxes", () => {
  it("names the permissions and scopes that are asked for, and no others", () => {
    expect([...new Set(guide.match(/IMAP\.\w+(?:\.\w+)?/g))].sort()).toEqual(
      [applicationPermission, delegatedPermission].sort(),
    );
    expect([...new Set(guide.match(/https:\/\/mail\.google\.com\/[\w.]*/g))]).toEqual(gmailScopes);
    const hosts = new Set(guide.match(/\b(?:outlook[\w.-]*\.(?:com|us)|partner\.outlook\.cn)\b/g));
    expect([...hosts].filter((host) => !isExchangeOnline(host))).toEqual([]);
    expect(hosts.size).toBe(4);
  });

  it.each([
    ["microsoft-delegated", "outlook.office365.com"],
    ["microsoft-application", "outlook.office365.com"],
    ["google-service-account", "imap.gmail.com"],
  ])("has every command and page that a refusal of %s sends somebody to", (authentication, host) => {
    const config = imapConfigSchema.parse({ host, user: "ann", authentication, tenantId: id, clientId: id });
    const { action } = refusedSignIn(config, new Error("Command failed"), null);
    for (const [command] of action.matchAll(/\b(?:New|Add|Set)-\w+|-[A-Z]\w+ |Apps > [\w >]+ POP and IMAP access/g)) {
      expect(guide).toContain(command.trim());
    }
    expect(action).toMatch(/New-|Set-|Apps >/);
  });
});
