import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export type FakeEngine = {
  url: string;
  /** Adapters that it holds, and those that it refuses to load. */
  held: Set<string>;
  refused: Set<string>;
  /** What its metrics say that it is doing. */
  load: { running: number; waiting: number };
  close(): Promise<void>;
};

/** The part of vLLM's HTTP API that loading, unloading and watching use, with vLLM's answers. Its base is "tiny". */
export async function startFakeEngine(): Promise<FakeEngine> {
  const [held, refused] = [new Set<string>(), new Set<string>()];
  const load = { running: 0, waiting: 0 };
  const server = createServer((request, response) => {
    void (async () => {
      const body = Buffer.concat(await request.toArray()).toString("utf8");
      const name = body === "" ? "" : (JSON.parse(body) as { lora_name: string }).lora_name;
      const answer = (status: number, value: unknown) => response.writeHead(status).end(JSON.stringify(value));
      switch (request.url) {
        case "/health":
          return answer(200, "");
        case "/metrics":
          return response.writeHead(200).end(describeLoad(load));
        case "/v1/models": {
          const adapters = [...held].map((id) => ({ id, parent: "tiny" }));
          return answer(200, { data: [{ id: "tiny" }, ...adapters] });
        }
        case "/v1/load_lora_adapter":
          if (refused.has(name)) return answer(400, { message: "LoRA rank 64 is greater than max_lora_rank 16." });
          if (held.has(name)) return answer(400, { message: `The lora adapter '${name}' has already been loaded.` });
          held.add(name);
          return answer(200, "Success");
        default:
          return answer(held.delete(name) ? 200 : 404, { message: `The lora adapter '${name}' cannot be found.` });
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    refused,
    load,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function describeLoad({ running, waiting }: FakeEngine["load"]): string {
  return `process_start_time_seconds 1.7e+09
vllm:num_requests_running ${running}
vllm:num_requests_waiting ${waiting}
vllm:kv_cache_usage_perc 0.5
vllm:prompt_tokens_total 1000
vllm:generation_tokens_total 1000
`;
}
