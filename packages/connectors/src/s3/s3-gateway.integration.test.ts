import type { Change } from "@anneal/core/connect/change";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../../conformance/start-api.ts";
import { testContext } from "../../conformance/test-context.ts";
import { collectBytes } from "../content.ts";
import type { RemoteEvent } from "../remote/remote-observer.ts";
import { s3ConfigSchema } from "./config.ts";
import { s3Connector } from "./s3-connector.ts";

const secrets = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "very-secret-value" };

/** What S3 answers errors in. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
function refusal(status: number, code: string, headers: Record<string, string> = {}): ApiAnswer {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>No.</Message></Error>`;
  return { status, headers: { "content-type": "application/xml", ...headers }, body };
}

function listing(...keys: string[]): ApiAnswer {
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"1"</ETag><Size>4</Size></Contents>`,
  );
  const body = `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>false</IsTruncated>${contents.join("")}</ListBucketResult>`;
  return { headers: { "content-type": "application/xml" }, body };
}

describe("a bucket behind the gateway", () => {
  const apis: TestApi[] = [];
  afterEach(async () => {
    for (const api of apis.splice(0)) await api.stop();
  });

  /** `answer` says nothing where the bucket answers as it should: a listing, or a text of four bytes. */
  const start = async (answer: (request: ApiRequest, count: number) => ApiAnswer | undefined, keys = ["a.txt"]) => {
    const api = await startApi((request) => {
      const isListing = request.query.has("list-type");
      return answer(request, api.requests.length) ?? (isListing ? listing(...keys) : { body: "text" });
    });
    apis.push(api);
    const events: RemoteEvent[] = [];
    const slept: number[] = [];
    let nowMs = Date.parse("2026-01-01T00:00:00Z");
    const clock = {
      now: () => nowMs,
      async sleep(waitMs: number) {
        slept.push(waitMs);
        nowMs += waitMs;
      },
    };
    const context = testContext({ onRemoteEvent: (event) => events.push(event), clock });
    const config = s3ConfigSchema.parse({
      bucket: "documents",
      endpoint: api.origin,
      pathStyle: true,
      allowPrivateHosts: true,
    });
    // A first sync would count before it lists.
    const read = (target = new MemoryTarget()) =>
      s3Connector.read({ config, secrets, cursor: { version: 1 }, known: target.known(), context });
    return { api, events, slept, read, host: new URL(api.origin).host };
  };
  const errorOf = async (changes: AsyncIterable<Change>): Promise<unknown> => {
    try {
      for await (const _ of changes);
      return null;
    } catch (error) {
      return error;
    }
  };
  const refsOf = async (changes: AsyncIterable<Change>) => {
    const refs: string[] = [];
    for await (const change of changes) if (change.type === "upsert") refs.push(change.item.ref);
    return refs;
  };

  it("ends, and deletes nothing, where a listing goes on and does not say how, as storage does that knows only its first version", async () => {
    const target = new MemoryTarget();
    const whole = await start(() => undefined, ["a.txt", "b.txt"]);
    await target.apply(whole.read(target));
    const { body } = listing("a.txt");
    const isTruncated = "<IsTruncated>true</IsTruncated><NextMarker>a.txt</NextMarker>";
    const truncated = String(body).replace("<IsTruncated>false</IsTruncated>", isTruncated);
    const { read } = await start(({ query }) => (query.has("list-type") ? { body: truncated } : undefined));
    await expect(target.apply(read(target))).rejects.toMatchObject({
      code: "INVALID_INPUT",
      message: expect.stringContaining("continuation token"),
      action: expect.stringContaining("ListObjectsV2"),
    });
    expect([...target.documents.keys()]).toEqual(["a.txt", "b.txt"]);
  });

  it("begins its listing anew with the next try where its own position in it is refused, and deletes nothing", async () => {
    const target = new MemoryTarget();
    const whole = await start(() => undefined, ["a.txt", "b.txt"]);
    await target.apply(whole.read(target));
    const isTruncated = "<IsTruncated>true</IsTruncated><NextContinuationToken>next</NextContinuationToken>";
    const first = String(listing("a.txt").body).replace("<IsTruncated>false</IsTruncated>", isTruncated);
    const { read } = await start(({ query }) => {
      if (query.has("continuation-token")) return refusal(400, "InvalidArgument");
      return query.has("list-type") ? { body: first } : undefined;
    });
    await expect(target.apply(read(target))).rejects.toMatchObject({
      code: "SOURCE_UNREACHABLE",
      message: expect.stringContaining("position in a list"),
      retryable: true,
    });
    expect([...target.documents.keys()]).toEqual(["a.txt", "b.txt"]);
  });

  it("waits for as long as it is told, once for all, and signs the next try anew", async () => {
    const { api, slept, read, events, host } = await start((_, count) =>
      count === 1 ? refusal(503, "SlowDown", { "retry-after": "20" }) : undefined,
    );
    expect(await refsOf(read())).toEqual(["a.txt"]);
    expect([api.requests.length, slept]).toEqual([2, [20_000]]);
    expect(events).toContainEqual({ type: "throttled", host });
    expect(events).toContainEqual({ type: "wait", host, cause: "told", waitMs: 20_000 });
  });

  it.each([
    ["SlowDown", 503],
    ["TooManyRequests", 429],
    ["RequestLimitExceeded", 503],
    ["ServiceUnavailable", 503],
    ["Throttling", 400],
  ])("leaves a wait of an hour to the workflow, asking once (%s with %i)", async (code, status) => {
    const { api, read, slept } = await start(() => refusal(status, code, { "retry-after": "3600" }));
    expect(await errorOf(read())).toMatchObject({
      code: "RATE_LIMITED",
      retryable: true,
      details: { retryAfterMs: 3_600_000, code },
    });
    expect([api.requests.length, slept]).toEqual([1, []]);
  });

  it("asks six times where no time is told, and leaves a minute to the workflow", async () => {
    const { api, read, slept } = await start(() => refusal(503, "SlowDown"));
    const details = { retryAfterMs: 60_000, unexplained: true };
    expect(await errorOf(read())).toMatchObject({ code: "RATE_LIMITED", details });
    expect([api.requests.length, slept]).toEqual([6, [1000, 2000, 4000, 8000, 16_000]]);
  });

  it("opens no further object of a bucket that asked for an hour", async () => {
    const keys = ["a.txt", "b.txt", "c.txt"];
    const isObject = ({ query }: ApiRequest) => !query.has("list-type");
    const { api, read } = await start(
      (request) => (isObject(request) ? refusal(503, "SlowDown", { "retry-after": "3600" }) : undefined),
      keys,
    );
    const signal = new AbortController().signal;
    for await (const change of read()) {
      if (change.type !== "upsert") continue;
      await expect(change.content.open(signal)).rejects.toMatchObject({
        code: "RATE_LIMITED",
        details: { retryAfterMs: 3_600_000 },
      });
    }
    expect(api.requests.filter(isObject).length).toBe(1);
  });

  it("reads a listing again that breaks off, and what the bucket failed at", async () => {
    const { api, read } = await start((_, count) => {
      if (count === 1) return { ...listing("a.txt"), breakAfterBytes: 80 };
      return count === 2 ? refusal(500, "InternalError") : undefined;
    });
    expect(await refsOf(read())).toEqual(["a.txt"]);
    expect(api.requests.length).toBe(3);
  });

  it.each([
    ["ExpiredToken", 400, "SOURCE_CREDENTIALS"],
    ["AccessDenied", 403, "SOURCE_FORBIDDEN"],
    ["NoSuchBucket", 404, "SOURCE_NOT_FOUND"],
    ["MethodNotAllowed", 405, "SOURCE_UNREACHABLE"],
  ])("asks once where asking again changes nothing (%s)", async (code, status, expected) => {
    const { api, read } = await start(() => refusal(status, code));
    const error = await errorOf(read());
    expect(error).toMatchObject({ code: expected, retryable: false });
    expect((error as { action: string }).action).toMatch(/\w+ .*\.$/);
    expect(api.requests.length).toBe(1);
  });

  it("tells of something that is no storage as such, not as a bug", async () => {
    const { read } = await start(() => ({ headers: { "content-type": "text/html" }, body: "<html>Sign in" }));
    expect(await errorOf(read())).toMatchObject({ code: "SOURCE_UNREACHABLE" });
  });

  it("counts every request and what was read, and tells no name and no key", async () => {
    const { read, events, host } = await start(() => undefined, ["people/ann.txt"]);
    for await (const change of read()) {
      if (change.type === "upsert") await collectBytes(await change.content.open(new AbortController().signal));
    }
    const requests = events.filter((event) => event.type === "request");
    expect(requests.map((event) => [event.host, event.status])).toEqual([
      [host, 200],
      [host, 200],
    ]);
    expect(events).toContainEqual({ type: "received", host, bytes: 4 });
    expect(JSON.stringify(events)).not.toMatch(/ann|documents|AKIA|very-secret/);
  });

  it("fails an object that is shorter than it says", async () => {
    const { read } = await start(({ query }) =>
      query.has("list-type") ? undefined : { body: "text", headers: { "content-length": "9" }, breakAfterBytes: 4 },
    );
    for await (const change of read()) {
      if (change.type !== "upsert") continue;
      const read = async () => collectBytes(await change.content.open(new AbortController().signal));
      await expect(read()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    }
  });
});
