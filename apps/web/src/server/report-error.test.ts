import { TRPCError } from "@trpc/server";
import { expect, it } from "vitest";
import { z } from "zod";
import { AnnealError } from "@anneal/core/errors";
import { expectedError, reportError } from "./report-error.ts";

it("finds the expected failure however deep libraries have wrapped it", () => {
  const inner = new AnnealError("SOURCE_FORBIDDEN", "The bucket refused.", { action: "Grant list." });
  const wrapped = new TRPCError({ code: "INTERNAL_SERVER_ERROR", cause: new Error("driver", { cause: inner }) });
  expect(expectedError(wrapped)).toBe(inner);
});

it("never shows the message of a bug, and gives an id to look it up by", () => {
  const report = reportError(new Error("password=hunter2 at /srv/secret.ts:12"), "test");
  expect(JSON.stringify(report)).not.toContain("hunter2");
  expect(report).toMatchObject({ code: "INTERNAL", id: expect.stringMatching(/^[0-9a-f]{8}$/) });
});

it("names the field that was wrong", () => {
  const { error } = z.object({ name: z.string() }).safeParse({ name: 7 });
  expect(reportError(new TRPCError({ code: "BAD_REQUEST", cause: error }), "test")).toMatchObject({
    code: "INVALID_INPUT",
    message: "name must be a text.",
  });
});

it("says that a thing with an impossible id is not there", () => {
  const { error } = z.object({ trainingRunId: z.uuid() }).safeParse({ trainingRunId: "xyz" });
  expect(reportError(new TRPCError({ code: "BAD_REQUEST", cause: error }), "test")).toMatchObject({
    code: "NOT_FOUND",
    message: "There is no such training run.",
  });
  const { error: several } = z.object({ sourceIds: z.array(z.uuid()) }).safeParse({ sourceIds: ["xyz"] });
  expect(reportError(several, "test")).toMatchObject({ code: "INVALID_INPUT" });
});

it("says that a service is down when a connection was refused", () => {
  const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
  expect(reportError(new Error("Failed query", { cause: refused }), "test").code).toBe("ENGINE_UNAVAILABLE");
});
