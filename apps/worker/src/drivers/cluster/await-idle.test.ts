import { expect, it } from "vitest";
import { sumGauges } from "./await-idle.ts";

// As vLLM 0.19 prints them, shortened.
const page = `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="base {x}"} 3.0
vllm:num_requests_running{engine="1",model_name="base {x}"} 1.0
vllm:num_requests_waiting{engine="0",model_name="base {x}"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 9.0
vllm:e2e_request_latency_seconds_count{engine="0"} 1.2e+03
`;

it("adds up every series of the gauges that are named, and no other", () => {
  expect(sumGauges(page, ["vllm:num_requests_running", "vllm:num_requests_waiting"])).toBe(6);
});

it("does not wait for a gauge that the engine does not have", () => {
  expect(sumGauges(page, ["sglang:num_running_reqs"])).toBe(0);
});
