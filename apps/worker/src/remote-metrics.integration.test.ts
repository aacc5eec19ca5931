import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { createRemoteCalls } from "@anneal/connectors/remote/remote-calls";
import { AnnealError } from "@anneal/core/errors";
import { choosePort } from "@anneal/processes/choose-port";
import { Runtime } from "@temporalio/worker";
import { afterAll, beforeAll, expect, it } from "vitest";
import { installRuntime } from "./install-runtime.ts";
import { createRemoteMetrics } from "./remote-metrics.ts";

let url: string;
let refusal: unknown;
beforeAll(async () => {
  // Before the runtime that the other tests need: a process has one.
  const holder = createServer().listen(0, "127.0.0.1");
  await once(holder, "listening");
  try {
    installRuntime({}, `127.0.0.1:${(holder.address() as AddressInfo).port}`);
  } catch (error) {
    refusal = error;
  }
  holder.close();
  const address = `127.0.0.1:${await choosePort(undefined)}`;
  url = `http://${address}/metrics`;
  installRuntime({}, address);
});
afterAll(() => Runtime.instance().shutdown());

/** The value of the one series of this name that has all of these labels. */
async function valueOf(name: string, labels: Record<string, string>): Promise<number> {
  const lines = (await (await fetch(url)).text()).split("\n").filter((line) => line.startsWith(`${name}{`));
  const found = lines.filter((line) =>
    Object.entries(labels).every(([key, value]) => line.includes(`${key}="${value}"`)),
  );
  expect(found).toHaveLength(1);
  return Number(found[0]!.split(" ").at(-1));
}

it("shows calls of vendors' APIs to Prometheus, by kind of source and host", async () => {
  const observe = createRemoteMetrics(Runtime.instance().metricMeter);
  const [jira, slack] = [observe("jira"), observe("slack")];
  const host = "acme.atlassian.net";
  jira({ type: "request", host, status: 200, durationMs: 200 });
  jira({ type: "request", host, status: 204, durationMs: 300 });
  jira({ type: "request", host, status: 429, durationMs: 1 });
  jira({ type: "request", host, status: null, durationMs: 1 });
  jira({ type: "throttled", host });
  jira({ type: "received", host, bytes: 1000 });
  jira({ type: "received", host, bytes: 24 });
  slack({ type: "request", host: "slack.com", status: 200, durationMs: 1 });
  slack({ type: "wait", host: "slack.com", cause: "told", waitMs: 30_000 });
  slack({ type: "wait", host: "slack.com", cause: "told", waitMs: 12_000 });
  slack({ type: "wait", host: "slack.com", cause: "handed-over", waitMs: 86_400_000 });
  jira({ type: "renewal", ok: true });
  jira({ type: "renewal", ok: false });

  const requests = (kind: string, status: string) => valueOf("anneal_remote_requests_total", { kind, status });
  expect(await requests("jira", "2xx")).toBe(2);
  expect(await requests("jira", "4xx")).toBe(1);
  expect(await requests("jira", "none")).toBe(1);
  expect(await requests("slack", "2xx")).toBe(1);
  expect(await valueOf("anneal_remote_requests_total", { host, status: "2xx" })).toBe(2);
  expect(await valueOf("anneal_remote_throttled_total", { kind: "jira", host })).toBe(1);
  expect(await valueOf("anneal_remote_received_bytes_total", { kind: "jira", host })).toBe(1024);
  expect(await valueOf("anneal_remote_request_duration_seconds_count", { kind: "jira" })).toBe(4);
  expect(await valueOf("anneal_remote_request_duration_seconds_sum", { kind: "jira" })).toBeCloseTo(0.502, 3);
  expect(await valueOf("anneal_remote_request_duration_seconds_bucket", { kind: "jira", le: "0.25" })).toBe(3);
  expect(await valueOf("anneal_remote_wait_seconds_sum", { kind: "slack", cause: "told" })).toBe(42);
  expect(await valueOf("anneal_remote_wait_seconds_count", { kind: "slack", cause: "handed-over" })).toBe(1);
  for (const outcome of ["ok", "failed"])
    expect(await valueOf("anneal_remote_token_renewals_total", { kind: "jira", outcome })).toBe(1);
});

it("shows what a source is asked for that speaks no HTTP, as its connector tells of it", async () => {
  const sftp = createRemoteMetrics(Runtime.instance().metricMeter)("sftp");
  const place = { host: "Files.example", port: 2222 };
  const calls = createRemoteCalls(place, 22, { signal: new AbortController().signal, onRemoteEvent: sftp });
  await calls.call("connect", async () => {});
  await calls.call("read", async () => calls.received(4096));
  const refused = new AnnealError("SOURCE_FORBIDDEN", "/home/ann may not be read.", { action: "Ask." });
  await calls.call("list", () => Promise.reject(refused)).catch(() => {});

  const labels = { kind: "sftp", host: "files.example:2222" };
  const operations = "anneal_remote_operations_total";
  for (const operation of ["connect", "read"])
    expect(await valueOf(operations, { ...labels, operation, outcome: "ok" })).toBe(1);
  expect(await valueOf(operations, { ...labels, operation: "list", outcome: "SOURCE_FORBIDDEN" })).toBe(1);
  const duration = "anneal_remote_operation_duration_seconds";
  expect(await valueOf(`${duration}_count`, { ...labels, operation: "read" })).toBe(1);
  expect(await valueOf(`${duration}_bucket`, { ...labels, operation: "read", le: "600" })).toBe(1);
  expect(await valueOf("anneal_remote_received_bytes_total", labels)).toBe(4096);
});

it("gives no more than a hundred hosts a series of their own", async () => {
  const observe = createRemoteMetrics(Runtime.instance().metricMeter);
  for (let index = 0; index < 103; index += 1) {
    observe(index % 2 === 0 ? "imap" : "postgres")({ type: "throttled", host: `host-${index}.example` });
  }
  const total = "anneal_remote_throttled_total";
  expect(await valueOf(total, { kind: "postgres", host: "host-99.example" })).toBe(1);
  expect(await valueOf(total, { kind: "imap", host: "other" })).toBe(2);
  expect(await valueOf(total, { kind: "postgres", host: "other" })).toBe(1);
});

it("names no host of what is only tried, so that no mistyped one takes a source's place", async () => {
  const observe = createRemoteMetrics(Runtime.instance().metricMeter);
  for (let index = 0; index < 150; index += 1)
    observe("mongodb", "draft")({ type: "throttled", host: `mistyped-${index}.example` });
  observe("mongodb")({ type: "throttled", host: "docs.example" });
  const total = "anneal_remote_throttled_total";
  expect(await valueOf(total, { kind: "mongodb", host: "unsaved" })).toBe(150);
  expect(await valueOf(total, { kind: "mongodb", host: "docs.example" })).toBe(1);
});

it("says which setting to change where the address is another program's", () => {
  expect(refusal).toMatchObject({
    code: "PORT_TAKEN",
    action: expect.stringContaining("ANNEAL_WORKER_METRICS_ADDRESS"),
  });
});
