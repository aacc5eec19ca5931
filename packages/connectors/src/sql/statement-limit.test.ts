import { expect, it } from "vitest";
import { testContext } from "../../conformance/test-context.ts";
import { statementLimitMs, watchStatements } from "./statement-limit.ts";

/** What a driver does whose server is gone: it waits until its session is ended. */
const silent = (signal: AbortSignal) => () =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

it("leaves a server ten minutes for a statement, where a request may take half a minute", () => {
  expect(statementLimitMs({ documentBytes: 1, requestTimeoutMs: 30_000 })).toBe(600_000);
});

it("ends the session of a server that says nothing any more, with what a person can do", async () => {
  const { context, watch } = watchStatements(testContext({ limits: { requestTimeoutMs: 1 } }), "db.example");
  await expect(watch(silent(context.signal))).rejects.toMatchObject({
    code: "SOURCE_UNREACHABLE",
    retryable: true,
    message: "db.example stopped answering.",
  });
  expect(context.signal.aborted).toBe(true);
});

it("lets go of a server that answers, and ends with the reason where the sync is cancelled", async () => {
  const abort = new AbortController();
  const { context, watch } = watchStatements(testContext({ signal: abort.signal }), "db.example");
  expect(await watch(async () => "row")).toBe("row");
  const cancelled = watch(silent(context.signal));
  abort.abort(new Error("cancelled by a person"));
  await expect(cancelled).rejects.toThrow("cancelled by a person");
});
