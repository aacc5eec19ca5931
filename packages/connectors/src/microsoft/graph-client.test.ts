import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import { unexpectedAnswer } from "../remote/remote-answer.ts";
import { RemoteError } from "../remote/remote-client.ts";
import { isOwnAnswer } from "./graph-client.ts";

it("takes what Graph answers of one thing for that thing's fault, and what Entra answers for the source's", () => {
  const action = "Sync again.";
  const refused = new RemoteError(403, "", new AnnealError("SOURCE_FORBIDDEN", "Refused.", { action }));
  expect(isOwnAnswer(refused)).toBe(true);
  expect(isOwnAnswer(unexpectedAnswer("Microsoft Graph", "value: Required"))).toBe(true);
  expect(isOwnAnswer(unexpectedAnswer("Microsoft Entra", "access_token: Required"))).toBe(false);
  expect(isOwnAnswer(new AnnealError("SOURCE_UNREACHABLE", "It does not answer.", { action }))).toBe(false);
});
