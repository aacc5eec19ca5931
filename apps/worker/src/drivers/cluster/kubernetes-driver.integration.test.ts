import { AnnealError } from "@anneal/core/errors";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClusterDriver, WorkloadState } from "./cluster-driver.ts";
import { memberOf } from "./derive-replica.ts";
import { describeClusterDriver } from "./describe-cluster-driver.ts";
import { disrupt } from "./fake-controllers.fixture.ts";
import type { Job, Node, Pod } from "./fake-store.fixture.ts";
import { createKubernetesHarness, type KubernetesHarness, namespace } from "./kubernetes-harness.fixture.ts";
import { type GangMember, nameWorkload, type WorkloadInput } from "./workload.ts";

describeClusterDriver("The Kubernetes driver", createKubernetesHarness);

describe("The Kubernetes driver", () => {
  let harness: KubernetesHarness;
  let driver: ClusterDriver;
  beforeEach(async () => {
    harness = await createKubernetesHarness();
    driver = harness.createDriver();
  });
  afterEach(() => harness.close());

  const gib = 1024 ** 3;
  const member = (node: string, overrides: Partial<GangMember> = {}): GangMember => ({
    node,
    gpus: 0,
    gpuVendor: "nvidia",
    cpuMilli: 500,
    memoryBytes: gib / 8,
    ...overrides,
  });
  const workload = (
    id: string,
    kind: "training" | "serving",
    gang: GangMember[],
    overrides: Partial<WorkloadInput> = {},
  ) => ({
    id,
    kind,
    workspaceId: "research",
    replicas: [{ index: 0, gang }],
    ...harness.program,
    graceMs: 10_000,
    ...overrides,
  });
  const gang = (id: string) =>
    workload(
      id,
      "training",
      harness.nodes.map((node) => member(node)),
    );
  const until = async (what: string, holds: () => Promise<boolean> | boolean) => {
    const deadline = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > deadline) expect.fail(`This did not come true in 30 s: ${what}`);
      await sleep(10);
    }
  };
  const untilState = async (id: string, status: WorkloadState["status"], words = "") => {
    let state = await driver.observe(id);
    await until(`"${id}" is ${status}${words === "" ? "" : `: ${words}`}`, async () => {
      state = await driver.observe(id);
      return state.status === status && JSON.stringify(state).includes(words);
    });
    return state;
  };
  const rejection = async (action: Promise<unknown>): Promise<AnnealError> => {
    const error: unknown = await action.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(AnnealError);
    return error as AnnealError;
  };
  const running = async (id: string) => Object.keys(await harness.alive(id)).sort();
  /** A pod of somebody else that takes what a node has. */
  const occupy = (node: string, requests: Record<string, string> = { cpu: "3400m" }) =>
    harness.server.store.create<Pod>({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: `other-${node}`, namespace: "kube-system" },
      spec: { nodeName: node, containers: [{ name: "main", image: "x", resources: { requests } }] },
      status: { phase: "Running", conditions: [] },
    });
  const changeNode = (name: string, change: (node: Node) => void) => {
    const node = harness.server.store.get<Node>("Node", undefined, name)!;
    change(node);
    harness.server.store.update(node);
  };

  it("lets a gang in only as a whole: no pod exists before its Job is let in, and that happens once", async () => {
    const seen: string[] = [];
    let suspended: boolean | undefined;
    harness.server.store.listen(({ type, object }) => {
      if (object.kind === "Pod" && type === "ADDED") seen.push("pod");
      const suspend = object.kind === "Job" ? (object as Job).spec?.suspend : suspended;
      if (suspend !== suspended) seen.push(suspend ? "waits" : "let in");
      suspended = suspend;
    });
    await driver.start(gang("t"));
    expect(seen).toEqual(["waits", "let in", "pod", "pod", "pod"]);
  });

  it("takes a gang away as a whole when the cluster could bind only a part of it", async () => {
    // Between our look at the nodes and the binding somebody else takes what one member needs.
    const racing = harness.createDriver({
      bindTimeoutMs: 300,
      onStep: (step) => void (step.startsWith("patch Job") && occupy("node-b")),
    });
    const refused = await rejection(racing.start(gang("t")));
    expect(refused).toMatchObject({ code: "ADMISSION_REFUSED", retryable: true });
    expect(refused.message).toContain("Insufficient cpu");
    expect(await running("t")).toEqual([]);
    expect((await driver.observe("t")).status).toBe("gone");
    const left = harness.server.store.all().filter((object) => object.metadata.name.startsWith(nameWorkload("t")));
    expect(left).toEqual([]);
  });

  it("finishes letting in a gang whose driver died while the cluster was binding it, or takes it away", async () => {
    const blocker = occupy("node-b");
    harness.server.store.remove(blocker);
    const dying = harness.createDriver({
      onStep: (step) => void (step.startsWith("patch Job") && occupy("node-b")),
      bindTimeoutMs: 60_000,
    });
    void dying.start(gang("t")).catch(() => undefined);
    await until("a part of it is bound", async () => (await running("t")).length === 2);
    // The one that asks again comes to the end that the dead one did not.
    const next = harness.createDriver({ bindTimeoutMs: 200 });
    expect((await rejection(next.start(gang("t")))).code).toBe("ADMISSION_REFUSED");
    expect(await running("t")).toEqual([]);
  });

  it("counts what others hold, and does not start what they leave no room for", async () => {
    occupy("node-b", { cpu: "3200m" });
    const refused = await rejection(driver.start(gang("t")));
    expect(refused.message).toContain(
      'member 1 of replica 0 cannot run on "node-b": it needs 0.5 CPU cores and 0.3 are free',
    );
    expect(await driver.list()).toEqual([]);
  });

  it("refuses cordoned nodes and taints that it does not tolerate, and takes those that it is told to", async () => {
    changeNode("node-a", (node) => (node.spec = { ...node.spec, unschedulable: true }));
    expect((await rejection(driver.start(gang("t")))).message).toContain("cordoned");
    harness.addNode("gold", { taints: [{ key: "pool", value: "gold", effect: "NoSchedule" }] });
    const golden = workload("g", "training", [member("gold")]);
    expect((await rejection(driver.start(golden))).message).toContain("pool=gold:NoSchedule");
    const tolerant = harness.createDriver({ tolerations: [{ key: "pool", operator: "Exists" }] });
    await tolerant.start(golden);
    await until("it runs", async () => (await running("g")).length === 1);
  });

  it("gives pods no longer to end than the stop was given", async () => {
    const graces = new Set<number>();
    await driver.start(workload("t", "training", [member("node-a")], harness.stubbornProgram));
    await untilState("t", "running");
    harness.server.store.listen(({ object }) => {
      const { deletionGracePeriodSeconds: grace } = object.metadata;
      if (object.kind === "Pod" && grace !== undefined) graces.add(grace);
    });
    await driver.stop("t", { graceMs: 1000 });
    // Ten seconds are its own; the deletion of its Job may have begun with them.
    expect(Math.min(...graces)).toBe(1);
    expect(await harness.endings("t")).toEqual({ "0/0": "by force" });
  });

  it("fails a gang whose node does not answer, and says what to do when its pod cannot end", async () => {
    await driver.start(gang("t"));
    await untilState("t", "running");
    changeNode("node-b", (node) => {
      node.status = { ...node.status, conditions: [{ type: "Ready", status: "Unknown" }] };
      node.spec = { ...node.spec, taints: [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }] };
    });
    expect(await untilState("t", "failed", "node-b")).toMatchObject({ exitCode: null });
    const impatient = harness.createDriver({ marginMs: 100 });
    const stuck = await rejection(impatient.stop("t", { graceMs: 100 }));
    expect(stuck).toMatchObject({ code: "DEPLOYMENT_FAILED", retryable: true });
    expect(stuck.action).toContain("out-of-service");
    expect((await driver.observe("t")).status).toBe("pending");
    expect((await rejection(driver.start(gang("t")))).code).toBe("CONFLICT");
    // The node is taken out of the cluster; then the stop comes to its end.
    harness.server.store.remove(harness.server.store.get("Node", undefined, "node-b")!);
    await driver.stop("t", { graceMs: 1000 });
    expect((await driver.observe("t")).status).toBe("gone");
  });

  it("fails a gang of which a member is evicted, and tells which", async () => {
    await driver.start(gang("t"));
    await untilState("t", "running");
    const pod = harness.podsOf("t").find((each) => memberOf(each as never) === 1);
    disrupt(pod!, "EvictionByEvictionAPI", "Eviction API: evicting");
    harness.server.store.update(pod!);
    harness.server.store.requestDeletion(pod!);
    await untilState("t", "failed", "Member 1 was taken away by the cluster");
    await until("nothing of it runs", async () => (await running("t")).length === 0);
  });

  it("tells a program that used too much memory from one that failed", async () => {
    await driver.start(workload("t", "training", [member("node-a")]));
    await untilState("t", "running");
    harness.server.kubelet.exit(harness.podsOf("t")[0]!, 137, "OOMKilled");
    expect(await untilState("t", "failed", "more memory than it was given")).toMatchObject({ exitCode: 137 });
  });

  it("says why the cluster does not take a pod that should have fitted", async () => {
    const racing = harness.createDriver({
      onStep: (step) => void (step.startsWith("create Deployment") && occupy("node-a")),
    });
    await racing.start(workload("s", "serving", [member("node-a")]));
    const state = await untilState("s", "pending", "No node takes it");
    expect(JSON.stringify(state)).toContain("0/3 nodes are available: 1 Insufficient cpu");
  });

  it("serves one model over several nodes, and starts its group again as a whole", async () => {
    const server = workload("s", "serving", [member("node-a"), member("node-b"), member("node-c")], {
      ports: [{ name: "http", port: 8000 }],
    });
    await driver.start(server);
    const state = await untilState("s", "running");
    expect(state).toMatchObject({
      addresses: [
        { member: 0, node: "node-a", ports: { http: 8000 } },
        { member: 1, ports: {} },
        { member: 2, ports: {} },
      ],
    });
    const before = new Set(harness.podsOf("s").map((pod) => pod.metadata.uid));
    await harness.exit("s", "0/1", 1);
    await until("all of its pods are new", async () => {
      const pods = harness.podsOf("s");
      return (
        pods.length === 3 && pods.every((pod) => !before.has(pod.metadata.uid)) && (await running("s")).length === 3
      );
    });
    await driver.stop("s", { graceMs: 10_000 });
    expect(harness.podsOf("s")).toEqual([]);
  });

  it("says what is missing when the cluster has no LeaderWorkerSet, and does everything else without", async () => {
    harness.server.uninstall("leaderworkerset.x-k8s.io/v1");
    const refused = await rejection(driver.start(workload("s", "serving", [member("node-a"), member("node-b")])));
    expect(refused).toMatchObject({ code: "PREREQUISITE_MISSING" });
    expect(refused.action).toContain("LeaderWorkerSet");
    await driver.stop("s", { graceMs: 1000 });
    await driver.start(workload("one", "serving", [member("node-a")]));
    await untilState("one", "running");
    expect(await driver.list()).toHaveLength(1);
  });

  it("asks for slices of GPUs by the name that the node has for them", async () => {
    harness.addNode("mixed", { allocatable: { "nvidia.com/gpu": "1", "nvidia.com/mig-1g.10gb": "2" } });
    harness.addNode("single", {
      labels: { "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb" },
      allocatable: { "nvidia.com/gpu": "7" },
    });
    const slice = (node: string, migProfile: string) => member(node, { gpus: 2, migProfile });
    await driver.start(workload("m", "serving", [slice("mixed", "1g.10gb")]));
    await driver.start(workload("s", "serving", [slice("single", "1g.5gb")]));
    await untilState("m", "running");
    await untilState("s", "running");
    const limitsOf = (id: string) => harness.podsOf(id)[0]?.spec?.containers[0]?.resources?.limits;
    expect(limitsOf("m")).toMatchObject({ "nvidia.com/mig-1g.10gb": "2" });
    expect(limitsOf("s")).toMatchObject({ "nvidia.com/gpu": "2" });
    const refused = await rejection(driver.start(workload("m2", "serving", [slice("mixed", "1g.10gb")])));
    expect(refused.message).toContain("it needs 2 MIG slices of 1g.10gb and 0 are free");
  });

  it("tells people how to fix credentials and permissions", async () => {
    const stranger = harness.createDriver({ kubeConfig: harness.kubeConfig("old") });
    expect(await rejection(stranger.list())).toMatchObject({ code: "PREREQUISITE_MISSING", retryable: false });
    harness.server.forbid("list nodes");
    const refused = await rejection(driver.discover(new AbortController().signal));
    expect(refused.code).toBe("PREREQUISITE_MISSING");
    expect(refused.message).toContain('cannot list resource "nodes"');
    harness.server.forbid("create configmaps");
    expect((await rejection(driver.start(gang("t")))).message).toContain("create ConfigMap");
  });

  it("says which namespace is missing", async () => {
    const elsewhere = harness.createDriver({ namespace: "nowhere" });
    const refused = await rejection(elsewhere.start(workload("t", "training", [member("node-a")])));
    expect(refused).toMatchObject({ code: "NOT_FOUND" });
    expect(refused.message).toContain('namespaces "nowhere" not found');
  });

  it("tells of leftovers whose record was taken away, and clears them", async () => {
    await driver.start(workload("s", "serving", [member("node-a")]));
    await untilState("s", "running");
    const record = harness.server.store.get("ConfigMap", namespace, nameWorkload("s"))!;
    harness.server.store.requestDeletion(record, { propagation: "Orphan" });
    const [found] = await driver.list();
    expect(found).toMatchObject({ workload: null, state: { workloadId: "s", status: "pending" } });
    expect((await driver.observe("s")).status).toBe("pending");
    await driver.stop("s", { graceMs: 10_000 });
    expect(harness.podsOf("s")).toEqual([]);
    expect(await driver.list()).toEqual([]);
  });

  it("does not lose sight of everything for one record that it cannot read", async () => {
    await driver.start(workload("t", "training", [member("node-a")]));
    await driver.start(workload("odd", "training", [member("node-b")]));
    const record = harness.server.store.get("ConfigMap", namespace, nameWorkload("odd"))!;
    harness.server.store.update({ ...record, data: { "workload.json": '{"of":"a later version"}' } });
    await until("both are told of", async () => (await driver.list()).length === 2);
    const unread = (await driver.list()).find(({ workload: read }) => read === null);
    expect(unread?.state).toMatchObject({ workloadId: "odd", status: "pending" });
    await driver.stop("odd", { graceMs: 1000 });
    expect(await running("odd")).toEqual([]);
  });

  it("goes on watching when what it knows is too old, and when its connections break", async () => {
    const aborter = new AbortController();
    const told: string[] = [];
    const watching = (async () => {
      for await (const state of driver.watch(aborter.signal)) told.push(`${state.workloadId} ${state.status}`);
    })();
    for (const [id, disturb] of [
      ["one", () => harness.server.expireWatches()],
      ["two", () => harness.server.cutWatches()],
    ] as const) {
      await until("its watches are open", () => harness.server.watches() === 3);
      disturb();
      await driver.start(workload(id, "training", [member("node-a")]));
      await until(`"${id}" is told of`, () => told.includes(`${id} running`));
    }
    aborter.abort();
    await watching;
    await until("its watches are closed", () => harness.server.watches() === 0);
  });

  it("reads lists of any length", async () => {
    for (let at = 0; at < 1100; at += 1) {
      harness.server.store.create<Pod>({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: `crowd-${at}`, namespace: "kube-system" },
        spec: {
          nodeName: "node-a",
          containers: [{ name: "main", image: "x", resources: { requests: { cpu: "1m" } } }],
        },
        status: { phase: "Running", conditions: [] },
      });
    }
    const nodes = await driver.discover(new AbortController().signal);
    expect(nodes.find((node) => node.name === "node-a")?.cpuMilli.heldByOthers).toBe(1100);
  });

  it("lets one of two that scale at the same time win, and loses neither's replicas", async () => {
    await driver.start(workload("s", "serving", [member("node-a")]));
    const other = harness.createDriver();
    const replica = (index: number) => ({ index, gang: [member("node-a")] });
    await Promise.all([
      driver.scale("s", [replica(0), replica(1)], { graceMs: 1000 }),
      other.scale("s", [replica(0), replica(1)], { graceMs: 1000 }),
    ]);
    await until("both run", async () => (await running("s")).join() === "0/0,1/0");
    expect(await harness.alive("s")).toEqual({ "0/0": 1, "1/0": 1 });
  });
});
