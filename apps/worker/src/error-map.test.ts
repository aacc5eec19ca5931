import { inspect } from "node:util";
import { AnnealError } from "@anneal/core/errors";
import { ApplicationFailure, DefaultFailureConverter, defaultPayloadConverter } from "@temporalio/common";
import { describe, expect, it } from "vitest";
import { withFailures, withFreeSpace } from "./error-map.ts";

const failing = (error: unknown) => withFailures({ write: async () => Promise.reject(error) }).write();

it.each([
  ["a folder", Object.assign(new Error("write"), { code: "ENOSPC" })],
  ["PostgreSQL", new Error("Failed query", { cause: Object.assign(new Error("extend"), { code: "53100" }) })],
])("ends a stage in one sentence, without retries, when the disk of %s is full", async (_, error) => {
  await expect(failing(error)).rejects.toMatchObject({
    type: "DISK_FULL",
    nonRetryable: true,
    details: [{ code: "DISK_FULL", action: expect.stringContaining("Free some space") }],
  });
});

it("leaves what nobody foresaw as it is, for Temporal to try again", async () => {
  const bug = new Error("bug");
  await expect(failing(bug)).rejects.toBe(bug);
});

describe("an unforeseen error of a query", () => {
  const names = "Merger memo.pdf,ann@example.com\n    at Board (secret.md:1:1)";
  /** As Drizzle builds it. */
  const queryError = (cause?: Error) =>
    Object.assign(new Error(`Failed query: insert into "documents" values ($1, $2)\nparams: ${names}`, { cause }), {
      query: 'insert into "documents" values ($1, $2)',
      params: names.split(","),
    });
  const thrown = (error: unknown) => failing(error).catch((reason: unknown) => reason as Error);
  /** All that is in an error, as Temporal's history and the log may hold it. */
  const tell = (error: Error) => {
    const failure = new DefaultFailureConverter().errorToFailure(error, defaultPayloadConverter);
    return `${JSON.stringify(failure)} ${inspect(error, { depth: null, showHidden: true })}`;
  };

  it("carries no parameter, but the statement, the constraint and where it was", async () => {
    const refusal = Object.assign(new Error('duplicate key value violates unique constraint "documents_ref"'), {
      code: "23505",
      constraint: "documents_ref",
      detail: "Key (ref)=(Merger memo.pdf) already exists.",
    });
    const error = await thrown(new Error("The page was not stored.", { cause: queryError(refusal) }));
    expect(tell(error)).not.toMatch(/Merger|ann@|Board/);
    expect(error.cause).toMatchObject({ message: expect.stringContaining('insert into "documents"') });
    expect((error.cause as Error).stack).toMatch(/error-map\.test\.ts/);
    expect((error.cause as Error).cause).toMatchObject({
      message: expect.stringContaining("documents_ref"),
      code: "23505",
      constraint: "documents_ref",
    });
  });

  it("carries no value that PostgreSQL repeats as one that it cannot take", async () => {
    const refusal = Object.assign(new Error('invalid input syntax for type uuid: "ann@example.com"'), {
      code: "22P02",
      where: "unnamed portal parameter $1 = 'ann@example.com'",
    });
    const error = await thrown(queryError(refusal));
    expect(tell(error)).not.toMatch(/Merger|ann@|Board/);
    expect(error.cause).toMatchObject({ message: expect.stringContaining("22P02"), code: "22P02" });
  });

  it("keeps its class, which tells Temporal whether to try again, and may be one of several", async () => {
    const failure = ApplicationFailure.nonRetryable("No.", "BUG", "a detail");
    Object.assign(failure, { cause: new AggregateError([queryError()], "Both failed.") });
    const error = await thrown(failure);
    expect(error).toBe(failure);
    expect(error).toMatchObject({ nonRetryable: true, type: "BUG", message: "No." });
    expect(tell(error)).not.toMatch(/Merger|ann@|Board/);
  });
});

it("begins nothing while the disk has too little left", async () => {
  let begun = false;
  const full = new AnnealError("DISK_FULL", "The disk is nearly full.", { action: "Free some space." });
  const activities = withFreeSpace({ read: async () => void (begun = true) }, () => Promise.reject(full));
  await expect(activities.read()).rejects.toBe(full);
  expect(begun).toBe(false);
});
