import { expect, it } from "vitest";
import { findEngineProfile } from "./engine-profile.ts";
import { speedConstants } from "./speed-constants.ts";

it.each([
  ["vllm@0.10.2", "0"],
  ["vllm@0.11.2", "0.11"],
  ["vllm@0.12.0", "0.11"],
  ["vllm@0.13", "0.13"],
  ["vLLM@v0.19.0", "0.13"],
  ["vllm@7.1", "0.13"],
  ["vllm", "0.13"],
  ["trtllm@1.0.0rc3", "0"],
  ["trtllm@1.2.0rc6.post1", "1.2"],
  ["tensorrt-llm@1.1.0", "1.1"],
  ["trtllm@gpt-oss-dev", "1.1"],
  ["trtllm@", "1.1"],
  ["sglang@0.5.1.post1", "0"],
  ["sglang@0.5.6.post2", "0.5.5"],
])("takes for %s the newest constants that are not newer, those since %s", (name, from) => {
  expect(findEngineProfile(name, speedConstants).from).toBe(from);
});

it("names one fallback for each engine, and orders releases from the oldest on", () => {
  for (const { releases } of Object.values(speedConstants.engines)) {
    expect(releases.filter(({ fallback }) => fallback)).toHaveLength(1);
    expect(releases[0]?.from).toBe("0");
  }
});
