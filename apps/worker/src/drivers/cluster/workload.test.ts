import { AnnealError } from "@anneal/core/errors";
import { expect, it } from "vitest";
import { isSameProgram, nameWorkload, parseWorkload, type WorkloadInput } from "./workload.ts";

const member = { node: "node-a", gpus: 1, cpuMilli: 1000, memoryBytes: 1024 ** 3 };
const training: WorkloadInput = {
  id: "run-1/train",
  kind: "training",
  workspaceId: "research",
  replicas: [{ index: 0, gang: [member] }],
  command: ["python", "-m", "trainer"],
};
const refusedField = (input: unknown): unknown => {
  try {
    parseWorkload(input);
    return null;
  } catch (error) {
    expect(error).toBeInstanceOf(AnnealError);
    return (error as AnnealError).details["field"];
  }
};

it("fills in what a caller leaves out", () => {
  expect(parseWorkload(training)).toMatchObject({ args: [], env: {}, ports: [], graceMs: 120_000 });
  expect(parseWorkload(training).replicas[0]?.gang[0]?.gpuVendor).toBe("nvidia");
});

it.each<[string, object, string]>([
  ["a training with two replicas", { replicas: [0, 1].map((index) => ({ index, gang: [member] })) }, "replicas"],
  ["a training without one", { replicas: [] }, "replicas"],
  [
    "two replicas of one index",
    { kind: "serving", replicas: [0, 0].map((index) => ({ index, gang: [member] })) },
    "replicas",
  ],
  [
    "replicas of different sizes",
    {
      kind: "serving",
      replicas: [
        { index: 0, gang: [member] },
        { index: 1, gang: [member, member] },
      ],
    },
    "replicas",
  ],
  ["a gang without members", { replicas: [{ index: 0, gang: [] }] }, "replicas.0.gang"],
  [
    "a share of several GPUs",
    { replicas: [{ index: 0, gang: [{ ...member, gpus: 2, gpuMilli: 500 }] }] },
    "replicas.0.gang.0.gpuMilli",
  ],
  [
    "a share of a slice",
    { replicas: [{ index: 0, gang: [{ ...member, gpuMilli: 500, migProfile: "1g.10gb" }] }] },
    "replicas.0.gang.0.gpuMilli",
  ],
  [
    "a GPU that is named twice",
    { replicas: [{ index: 0, gang: [{ ...member, gpus: 2, gpuIndices: [3, 3] }] }] },
    "replicas.0.gang.0.gpuIndices",
  ],
  [
    "a slice of no known form",
    { replicas: [{ index: 0, gang: [{ ...member, migProfile: "small" }] }] },
    "replicas.0.gang.0.migProfile",
  ],
  [
    "a negative share of the cores",
    { replicas: [{ index: 0, gang: [{ ...member, cpuMilli: -1 }] }] },
    "replicas.0.gang.0.cpuMilli",
  ],
  ["a health check on a port that is none of its own", { health: { port: "http", path: "/health" } }, "health.port"],
  [
    "two ports of one name",
    {
      ports: [
        { name: "http", port: 1 },
        { name: "http", port: 2 },
      ],
    },
    "ports",
  ],
  ["a variable that the driver sets", { env: { ANNEAL_REPLICA: "7" } }, "env.ANNEAL_REPLICA"],
  ["other arguments for workers of a training", { workerArgs: ["--headless"] }, "workerArgs"],
  ["no command", { command: [] }, "command"],
  ["a field that it does not have", { gpus: 4 }, ""],
])("refuses %s, and names the field", (_, change, field) => {
  expect(refusedField({ ...training, ...change })).toBe(field);
});

it("refuses secrets in plain by the names that people give them, and takes them by reference", () => {
  const names = [
    "HF_TOKEN",
    "DB_PASSWORD",
    "AWS_SECRET_ACCESS_KEY",
    "OPENAI_API_KEY",
    "SSH_KEY",
    "GOOGLE_CREDENTIALS",
    "x_apikey",
  ];
  for (const name of names) expect(refusedField({ ...training, env: { [name]: "x" } }), name).toBe(`env.${name}`);
  const secret = { secret: { name: "hub", key: "token" } };
  for (const name of names) expect(refusedField({ ...training, env: { [name]: secret } }), name).toBeNull();
});

it("takes names that only resemble secrets for what they are", () => {
  for (const name of ["TOKENIZERS_PARALLELISM", "MAX_TOKENS", "KEYBOARD", "VLLM_KEY_CACHE", "MONKEY"]) {
    expect(refusedField({ ...training, env: { [name]: "false" } }), name).toBeNull();
  }
});

it("takes two descriptions for the same program whatever their order and their replicas", () => {
  const one = parseWorkload({ ...training, kind: "serving", env: { A: "1", B: "2" } });
  const other = parseWorkload({ env: { B: "2", A: "1" }, ...training, kind: "serving", replicas: [] });
  expect(isSameProgram(one, { ...other, env: one.env })).toBe(true);
  expect(isSameProgram(one, { ...one, args: ["--seed=2"] })).toBe(false);
});

it("names workloads for Kubernetes: short, readable, and different for ids that look alike", () => {
  const ids = ["Run 1/Train", "run-1-train", "run_1_train", "größe", "日本語", "-", "x".repeat(200)];
  const names = ids.map(nameWorkload);
  expect(new Set(names).size).toBe(ids.length);
  for (const name of names) {
    expect(name).toMatch(/^anneal-[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    expect(name.length).toBeLessThanOrEqual(39);
  }
  expect(names[0]).toContain("run-1-train");
});
