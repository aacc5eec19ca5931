import { describe, expect, it } from "vitest";
import { imapConfigSchema, imapSecretSchema } from "./config.ts";

const problemsOf = (config: Record<string, unknown>) =>
  imapConfigSchema
    .safeParse({ host: "imap.example.com", user: "ann@example.com", ...config })
    .error?.issues.map(({ path }) => path.join(".")) ?? [];
const id = "00000000-0000-4000-8000-000000000000";
const app = { tenantId: id, clientId: id };

describe("a mailbox's settings", () => {
  it("are those of a password as they were stored before there was another way", () => {
    const before = { host: "imap.example.com", port: 993, tls: "tls", user: "ann@example.com", readers: [] };
    expect(imapConfigSchema.parse(before)).toMatchObject({ authentication: "password", tenantId: null });
    expect(imapSecretSchema.parse({ accessToken: "one that lasted an hour" })).toEqual({});
  });

  it("name the app registration where there is one", () => {
    for (const authentication of ["microsoft-delegated", "microsoft-application"]) {
      const config = { authentication, host: "outlook.office365.com" };
      expect(problemsOf(config)).toEqual(["tenantId", "clientId"]);
      expect(problemsOf({ ...config, ...app })).toEqual([]);
    }
    expect(problemsOf({ authentication: "google-service-account", host: "imap.gmail.com" })).toEqual([]);
  });

  it("send a vendor's token to the vendor's server, encrypted, unless an administrator names another token service", () => {
    for (const authentication of ["microsoft-delegated", "microsoft-application", "google-service-account"]) {
      const config = { authentication, ...app, tls: "none" };
      expect(problemsOf(config)).toEqual(["host", "tls"]);
      expect(problemsOf({ ...config, host: "outlook.office365.com.example.com" })).toEqual(["host", "tls"]);
      expect(problemsOf({ ...config, authorityUrl: "https://login.example.com" })).toEqual([]);
    }
    const national = { host: "outlook.office365.us", authentication: "microsoft-application", ...app };
    expect(problemsOf(national)).toEqual([]);
  });
});
