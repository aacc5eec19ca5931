import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { buildDrainHook } from "./drain-hook.ts";

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
});

/** A metrics page that answers with what `page` gives; null breaks the connection. */
async function serve(page: (request: number) => string | null): Promise<{ port: number; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    const text = page(requests);
    if (text === null) request.socket.destroy();
    else response.end(text);
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}

/** Runs the hook as the kubelet would, on this machine's Python. */
async function runHook(port: number, graceMs: number): Promise<number | null> {
  const gauges = ["vllm:num_requests_running", "vllm:num_requests_waiting"];
  const [command = "", ...args] = buildDrainHook({ port, path: "/metrics", gauges, graceMs }).exec?.command ?? [];
  const [code] = (await once(spawn(command, args, { stdio: "inherit" }), "exit")) as [number | null];
  return code;
}

const page = (running: number, waiting: number) =>
  `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="base {x}"} ${running}.0
vllm:num_requests_waiting{engine="0",model_name="base {x}"} ${waiting}.0
vllm:num_preemptions_total{engine="0"} 12.0
`;

it("lets the container end only when the last request is answered", async () => {
  const { port, requests } = await serve((request) => page(request < 3 ? 1 : 0, request === 3 ? 2 : 0));
  expect(await runHook(port, 60_000)).toBe(0);
  expect(requests()).toBe(4);
});

it("does not wait for an engine that no longer answers", async () => {
  const { port, requests } = await serve(() => null);
  expect(await runHook(port, 60_000)).toBe(0);
  expect(requests()).toBe(1);
});

it("waits no longer than its share of the grace", async () => {
  const { port, requests } = await serve(() => page(1, 0));
  expect(await runHook(port, 2000)).toBe(0);
  expect(requests()).toBeGreaterThan(1);
});
