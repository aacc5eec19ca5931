import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import { withFailures } from "./error-map.ts";
import { createLog } from "./log.ts";

const secret = "s3cr3t-w0rd";

/** The lines of an activity that failed, as the worker logs them. */
async function linesOf(failure: unknown): Promise<string> {
  let lines = "";
  const log = createLog({ write: (line) => void (lines += line) });
  const { readSource } = withFailures({
    async readSource() {
      throw failure;
    },
  });
  const error = await readSource().catch((reason: unknown) => reason);
  log.warn({ activityType: "readSource", attempt: 2, err: error }, "Activity failed");
  expect(lines).toMatch(/"attempt":2.*"Activity failed"/u);
  return lines;
}

const cause = (message: string, more: object = {}) => Object.assign(new Error(message), more);

it.each<[string, unknown]>([
  ["a field", cause("refused", { password: secret })],
  ["a field far below", cause("refused", { config: { headers: [{ Authorization: `Bearer ${secret}` }] } })],
  ["a field with another spelling", cause("refused", { request: { "x-api-key": secret, client_secret: secret } })],
  ["all fields below one", cause("refused", { request: { secrets: { value: secret } } })],
  [
    "a failure's details",
    new AnnealError("SOURCE_CREDENTIALS", "No.", { action: "Go.", details: { a: { token: secret } } }),
  ],
  [
    "an address in a cause's message",
    new Error("failed", { cause: cause(`GET https://ann:${secret}@example.com/ failed`) }),
  ],
  [
    "a header in a cause's cause",
    new Error("failed", { cause: new Error("bad", { cause: cause(`"Bearer ${secret}"`) }) }),
  ],
  ["an error among several", new AggregateError([cause("refused", { details: { apiKey: secret } })], "all failed")],
])("leaves a secret out of the log that is in %s", async (_, failure) => {
  expect(await linesOf(failure)).not.toContain(secret);
});

it("says all the rest of an error, however it refers to itself", async () => {
  const error = Object.assign(new Error("failed", { cause: new Error("the disk is gone") }), {
    details: { host: "files.example", tokens: 12, at: new Date(0) },
  });
  Object.assign(error.details, { error });
  const lines = await linesOf(error);
  for (const told of ["the disk is gone", "log.test.ts", '"host":"files.example"', '"tokens":12', "1970-01-01T"])
    expect(lines).toContain(told);
});
