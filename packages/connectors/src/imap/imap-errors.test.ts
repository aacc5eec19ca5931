import { expect, it } from "vitest";
import { imapConfigSchema } from "./config.ts";
import { toImapError } from "./imap-errors.ts";

const config = imapConfigSchema.parse({ host: "mail.example", user: "ann" });
const failing = (fields: object) => Object.assign(new Error("refused"), fields);

it("leaves a server alone for as long as it says, and for a minute where it does not", () => {
  const told = failing({ code: "ETHROTTLE", responseStatus: "BAD", throttleReset: 92_415 });
  expect(toImapError(told, config, null)).toMatchObject({
    code: "RATE_LIMITED",
    retryable: true,
    details: { retryAfterMs: 92_415 },
  });
  const untold = failing({ responseStatus: "NO", serverResponseCode: "LIMIT" });
  expect(toImapError(untold, config, null)).toMatchObject({ code: "RATE_LIMITED", details: { retryAfterMs: 60_000 } });
});

it("says what to close where too many are signed in", () => {
  const error = toImapError(failing({ authenticationFailed: true, serverResponseCode: "INUSE" }), config, null);
  expect(error).toMatchObject({
    code: "RATE_LIMITED",
    message: "mail.example does not let anybody sign in now (INUSE).",
  });
  expect(error.action).toContain("close other connections");
});
