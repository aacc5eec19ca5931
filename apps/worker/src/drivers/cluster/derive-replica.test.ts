import type { V1Job, V1Pod, V1PodStatus } from "@kubernetes/client-node";
import { expect, it } from "vitest";
import { deriveReplica, type ReplicaObjects } from "./derive-replica.ts";
import { parseWorkload } from "./workload.ts";

const member = { node: "node-a", gpus: 1, cpuMilli: 1000, memoryBytes: 1024 ** 3 };
const describe = (kind: "training" | "serving", objects: Partial<ReplicaObjects>, members = 1) => {
  const gang = Array.from({ length: members }, (_, at) => ({ ...member, node: `node-${at}` }));
  const workload = parseWorkload({
    id: "w",
    kind,
    workspaceId: "x",
    replicas: [{ index: 0, gang }],
    command: ["run"],
    ports: [{ name: "http", port: 8000 }],
  });
  return deriveReplica(workload, workload.replicas[0]!, {
    job: null,
    isDeployed: true,
    pods: [],
    lostNodes: [],
    ...objects,
  });
};
const job = (...conditions: string[]): V1Job => ({
  spec: { template: {} },
  status: { conditions: conditions.map((type) => ({ type, status: "True", message: "in the words of the cluster" })) },
});
const pod = (status: V1PodStatus, index = 0, going = false): V1Pod => ({
  metadata: {
    labels: { "batch.kubernetes.io/job-completion-index": String(index) },
    ...(going ? { deletionTimestamp: new Date(0) } : {}),
  },
  spec: { nodeName: `node-${index}`, containers: [] },
  status,
});
const ready = [{ type: "Ready", status: "True" }];
const container = (state: object, extra: object = {}) => [
  { name: "main", image: "", imageID: "", ready: false, restartCount: 0, state, ...extra },
];

it("takes a training for pending until every member runs", () => {
  const running = pod({ phase: "Running", conditions: ready, podIP: "10.0.0.1" });
  expect(describe("training", { job: job(), pods: [running] }, 2)).toEqual({
    status: "pending",
    reason: "1 of its 2 pods do not exist yet.",
  });
  const both = [pod({ phase: "Running", conditions: ready, podIP: "10.0.0.2" }, 1), running];
  expect(describe("training", { job: job(), pods: both }, 2)).toEqual({
    status: "running",
    addresses: [
      { replica: 0, member: 0, node: "node-0", host: "10.0.0.1", ports: { http: 8000 } },
      { replica: 0, member: 1, node: "node-1", host: "10.0.0.2", ports: {} },
    ],
  });
});

it.each<[string, V1Pod, string]>([
  [
    "no node takes it",
    {
      status: {
        conditions: [
          { type: "PodScheduled", status: "False", message: "0/3 nodes are available: 3 Insufficient nvidia.com/gpu." },
        ],
      },
    },
    "Insufficient nvidia.com/gpu",
  ],
  [
    "an image that is not there",
    pod({
      phase: "Pending",
      containerStatuses: container({ waiting: { reason: "ImagePullBackOff", message: "manifest unknown" } }),
    }),
    "ImagePullBackOff, manifest unknown",
  ],
  [
    "a container that is being created",
    pod({ phase: "Pending", containerStatuses: container({ waiting: { reason: "ContainerCreating" } }) }),
    "being created",
  ],
  [
    "a program that is not ready",
    pod({ phase: "Running", containerStatuses: container({ running: {} }) }),
    "not ready yet",
  ],
  [
    "a program that ends again and again",
    pod({
      phase: "Running",
      containerStatuses: container(
        { waiting: { reason: "CrashLoopBackOff" } },
        { restartCount: 4, lastState: { terminated: { exitCode: 1, message: "…\nCUDA out of memory\n" } } },
      ),
    }),
    "ended with exit code 1: CUDA out of memory. It is started again (4 times so far)",
  ],
])("says what a server waits for: %s", (_, waiting, words) => {
  const state = describe("serving", { pods: [waiting] });
  expect(state).toMatchObject({ status: "pending", reason: expect.stringContaining(words) as string });
});

it("tells the failure of the member that failed first, not of those that were ended for it", () => {
  const first = pod(
    { phase: "Failed", containerStatuses: container({ terminated: { exitCode: 137, reason: "OOMKilled" } }) },
    1,
  );
  const ended = pod({ phase: "Failed", containerStatuses: container({ terminated: { exitCode: 143 } }) }, 0, true);
  expect(describe("training", { job: job("Failed"), pods: [ended, first] }, 2)).toEqual({
    status: "failed",
    reason: 'Member 1 on "node-1" was killed with exit code 137: it used more memory than it was given.',
    exitCode: 137,
  });
});

it("tells of a member that was taken away, by what took it", () => {
  const evicted = pod({
    phase: "Failed",
    conditions: [
      { type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" },
    ],
  });
  expect(describe("training", { job: job("Failed"), pods: [evicted] })).toMatchObject({
    status: "failed",
    reason: expect.stringContaining("taken away: Eviction API: evicting") as string,
    exitCode: null,
  });
});

it("fails a gang whose member cannot even end, because its node does not answer", () => {
  const stuck = pod(
    {
      phase: "Running",
      conditions: [...ready, { type: "DisruptionTarget", status: "True", message: "Taint manager: deleting" }],
    },
    1,
    true,
  );
  const other = pod({ phase: "Running", conditions: ready }, 0);
  expect(describe("training", { job: job(), pods: [other, stuck] }, 2)).toMatchObject({
    status: "failed",
    exitCode: null,
  });
});

it("names the lost node when nothing else is left of a member, and else the cluster's words", () => {
  expect(describe("training", { job: job("Failed"), lostNodes: ["node-1"] }, 2)).toMatchObject({
    reason: expect.stringContaining('"node-1" is gone or does not answer') as string,
  });
  expect(describe("training", { job: job("Failed") })).toMatchObject({ reason: "in the words of the cluster" });
});

it("tells which member was taken away, by the name of a pod that is gone", () => {
  const message = "Pod anneal/anneal-w-0a1b-r0-2-x7k2p has condition DisruptionTarget matching FailJob rule at index 0";
  const failed: V1Job = {
    spec: { template: {} },
    status: { conditions: [{ type: "Failed", status: "True", reason: "PodFailurePolicy", message }] },
  };
  expect(describe("training", { job: failed }, 3)).toMatchObject({
    status: "failed",
    reason: expect.stringMatching(/^Member 2 was taken away by the cluster/) as string,
  });
});

it("takes a Job that waits to be let in, and one that is not there, for pending", () => {
  expect(describe("training", { job: { spec: { template: {}, suspend: true } } }, 2)).toMatchObject({
    status: "pending",
  });
  expect(describe("training", { job: null })).toMatchObject({ status: "pending" });
  expect(describe("serving", { isDeployed: false })).toMatchObject({ status: "pending" });
});

it("takes a training for succeeded when its Job is complete", () => {
  expect(describe("training", { job: job("SuccessCriteriaMet", "Complete") })).toEqual({ status: "succeeded" });
});
