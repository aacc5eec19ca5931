import type { Change } from "@anneal/core/connect/change";
import { afterEach, describe, expect, it } from "vitest";
import { MemoryTarget } from "../../conformance/memory-target.ts";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../../conformance/start-api.ts";
import { testContext } from "../../conformance/test-context.ts";
import { collectBytes } from "../content.ts";
import type { RemoteEvent } from "../remote/remote-observer.ts";
import { azureBlobConnector } from "./azure-blob-connector.ts";
import { azureBlobConfigSchema } from "./config.ts";

const secrets = { sasToken: "sv=2026-01-01&sp=rl&sig=very-secret-value" };

/** https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2 */
function refusal(status: number, code: string, headers: Record<string, string> = {}): ApiAnswer {
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>No.</Message></Error>`;
  return { status, headers: { "content-type": "application/xml", "x-ms-error-code": code, ...headers }, body };
}

function listing(...names: string[]): ApiAnswer {
  const blobs = names.map(
    (name) =>
      `<Blob><Name>${name}</Name><Properties><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified><Etag>0x1</Etag><Content-Length>4</Content-Length><BlobType>BlockBlob</BlobType></Properties></Blob>`,
  );
  const body = `<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="documents"><Blobs>${blobs.join("")}</Blobs><NextMarker/></EnumerationResults>`;
  return { headers: { "content-type": "application/xml" }, body };
}

describe("a container behind the gateway", () => {
  const apis: TestApi[] = [];
  afterEach(async () => {
    for (const api of apis.splice(0)) await api.stop();
  });

  const isListing = ({ query }: ApiRequest) => query.get("comp") === "list";
  /** `answer` says nothing where the container answers as it should: a listing, or a text of four bytes. */
  const start = async (answer: (request: ApiRequest, count: number) => ApiAnswer | undefined, names = ["a.txt"]) => {
    const api = await startApi((request) => {
      const usual = isListing(request) ? listing(...names) : { body: "text", headers: { etag: '"0x1"' } };
      return answer(request, api.requests.length) ?? usual;
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
    const config = azureBlobConfigSchema.parse({
      container: "documents",
      accountUrl: `${api.origin}/account`,
      allowPrivateHosts: true,
    });
    // A first sync would count before it lists.
    const read = () =>
      azureBlobConnector.read({ config, secrets, cursor: { version: 1 }, known: new MemoryTarget().known(), context });
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

  it("begins its listing anew with the next try where its own position in it is refused", async () => {
    const { headers = {}, body } = listing("a.txt");
    const first = { headers, body: String(body).replace("<NextMarker/>", "<NextMarker>next</NextMarker>") };
    const { read } = await start((request) => {
      if (request.query.has("marker")) return refusal(400, "OutOfRangeInput");
      return isListing(request) ? first : undefined;
    });
    expect(await errorOf(read())).toMatchObject({
      code: "SOURCE_UNREACHABLE",
      message: expect.stringContaining("position in a list"),
      retryable: true,
    });
  });

  it("reads a blob whose time is not told, and names a service that tells no ETag", async () => {
    const without = (element: string) => {
      const whole = listing("a.txt");
      return { ...whole, body: String(whole.body).replace(new RegExp(`<${element}>.*</${element}>`), "") };
    };
    const timeless = await start((request) => (isListing(request) ? without("Last-Modified") : undefined));
    expect(await refsOf(timeless.read())).toEqual(["a.txt"]);
    const untold = await start((request) => (isListing(request) ? without("Etag") : undefined));
    expect(await errorOf(untold.read())).toMatchObject({
      code: "SOURCE_UNREACHABLE",
      message: expect.stringContaining("without its ETag"),
    });
  });

  it("waits for as long as it is told, once for all", async () => {
    const { api, slept, read, events, host } = await start((_, count) =>
      count === 1 ? refusal(503, "ServerBusy", { "retry-after": "20" }) : undefined,
    );
    expect(await refsOf(read())).toEqual(["a.txt"]);
    expect([api.requests.length, slept]).toEqual([2, [20_000]]);
    expect(events).toContainEqual({ type: "throttled", host });
    expect(events).toContainEqual({ type: "wait", host, cause: "told", waitMs: 20_000 });
  });

  it.each([
    ["ServerBusy", 503],
    ["TooManyRequests", 429],
    ["OperationTimedOut", 500],
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
    const { api, read, slept } = await start(() => refusal(503, "ServerBusy"));
    const details = { retryAfterMs: 60_000, unexplained: true };
    expect(await errorOf(read())).toMatchObject({ code: "RATE_LIMITED", details });
    expect([api.requests.length, slept]).toEqual([6, [1000, 2000, 4000, 8000, 16_000]]);
  });

  it("opens no further blob of a container that asked for an hour", async () => {
    const { api, read } = await start(
      (request) => (isListing(request) ? undefined : refusal(503, "ServerBusy", { "retry-after": "3600" })),
      ["a.txt", "b.txt", "c.txt"],
    );
    const signal = new AbortController().signal;
    for await (const change of read()) {
      if (change.type !== "upsert") continue;
      await expect(change.content.open(signal)).rejects.toMatchObject({
        code: "RATE_LIMITED",
        details: { retryAfterMs: 3_600_000 },
      });
    }
    expect(api.requests.filter((request) => !isListing(request)).length).toBe(1);
  });

  it("reads a listing again that breaks off, and what the service failed at", async () => {
    const { api, read } = await start((_, count) => {
      if (count === 1) return { ...listing("a.txt"), breakAfterBytes: 80 };
      return count === 2 ? refusal(500, "InternalError") : undefined;
    });
    expect(await refsOf(read())).toEqual(["a.txt"]);
    expect(api.requests.length).toBe(3);
  });

  it.each([
    ["AuthenticationFailed", 403, "SOURCE_CREDENTIALS"],
    ["AuthorizationPermissionMismatch", 403, "SOURCE_FORBIDDEN"],
    ["ContainerNotFound", 404, "SOURCE_NOT_FOUND"],
    ["UnsupportedHttpVerb", 405, "SOURCE_UNREACHABLE"],
  ])("asks once where asking again changes nothing (%s)", async (code, status, expected) => {
    const { api, read } = await start(() => refusal(status, code));
    const error = await errorOf(read());
    expect(error).toMatchObject({ code: expected, retryable: false });
    expect((error as { action: string }).action).toMatch(/\w+ .*\.$/);
    expect(api.requests.length).toBe(1);
  });

  it.each([
    ["application/xml", "<html>Sign in"],
    ["application/xml", "<html>Sign in</html>"],
    ["text/html", "<html>Sign in</html>"],
  ])("tells of something that is no storage as such, not as a bug (%s, %s)", async (type, body) => {
    const { read } = await start(() => ({ headers: { "content-type": type }, body }));
    expect(await errorOf(read())).toMatchObject({ code: "SOURCE_UNREACHABLE" });
  });

  it("fails a blob that comes without what the service tells of each, as through a proxy", async () => {
    const { read } = await start((request) => (isListing(request) ? undefined : { body: "text" }));
    for await (const change of read()) {
      if (change.type !== "upsert") continue;
      const opened = change.content.open(new AbortController().signal);
      await expect(opened).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    }
  });

  it("counts every request and what was read, and tells no name and no token", async () => {
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
    expect(JSON.stringify(events)).not.toMatch(/ann|documents|very-secret/);
  });

  it("counts a refusal by its status", async () => {
    const { read, events } = await start(() => refusal(403, "AuthenticationFailed"));
    await errorOf(read());
    expect(events).toEqual([expect.objectContaining({ type: "request", status: 403 })]);
  });

  it("fails a blob that is shorter than it says", async () => {
    const { read } = await start((request) =>
      isListing(request)
        ? undefined
        : { body: "text", headers: { etag: '"0x1"', "content-length": "9" }, breakAfterBytes: 4 },
    );
    for await (const change of read()) {
      if (change.type !== "upsert") continue;
      const read = async () => collectBytes(await change.content.open(new AbortController().signal));
      await expect(read()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", retryable: true });
    }
  });
});
