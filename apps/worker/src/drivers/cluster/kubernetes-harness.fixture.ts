import { KubeConfig } from "@kubernetes/client-node";
import type { ClusterDriver } from "./cluster-driver.ts";
import { memberOf } from "./derive-replica.ts";
import type { ClusterHarness, MemberName } from "./describe-cluster-driver.ts";
import { type FakeApiServer, startFakeApiServer } from "./fake-api-server.fixture.ts";
import { isOver } from "./fake-controllers.fixture.ts";
import type { Node, Pod } from "./fake-store.fixture.ts";
import { createKubernetesDriver, type KubernetesDriverOptions } from "./kubernetes-driver.ts";
import { replicaLabel, workloadLabel } from "./kubernetes-labels.ts";
import { nameWorkload } from "./workload.ts";

export const namespace = "anneal";
const token = "test-token";
const retries = { attempts: 6, firstDelayMs: 5, maxDelayMs: 20 };

export type KubernetesHarness = Omit<ClusterHarness, "createDriver"> & {
  server: FakeApiServer;
  createDriver(options?: Partial<KubernetesDriverOptions> & { dieAtStep?: number }): ClusterDriver;
  kubeConfig(token?: string): KubeConfig;
  addNode(name: string, overrides?: NodeOverrides): void;
  podsOf(workloadId: string): Pod[];
};

export type NodeOverrides = {
  labels?: Record<string, string>;
  allocatable?: Record<string, string>;
  taints?: { key: string; value?: string; effect: string }[];
};

export async function createKubernetesHarness(): Promise<KubernetesHarness> {
  const behaviourOf = (pod: Pod) => pod.spec?.containers[0]?.args?.[0];
  const answered = new Set<string>();
  const server = await startFakeApiServer({
    token,
    namespaces: [namespace, "kube-system"],
    programs: {
      isStubborn: (pod) => behaviourOf(pod) === "stubborn",
      isBusy: (pod) => behaviourOf(pod) === "busy" && !answered.has(pod.metadata.uid),
    },
  });
  const { store, kubelet } = server;
  const nodes = ["node-a", "node-b", "node-c"];

  function addNode(name: string, overrides: NodeOverrides = {}): void {
    store.create<Node>({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: { "kubernetes.io/hostname": name, ...overrides.labels } },
      spec: overrides.taints ? { taints: overrides.taints } : {},
      status: {
        allocatable: { cpu: "3500m", memory: "8Gi", pods: "110", ...overrides.allocatable },
        conditions: [{ type: "Ready", status: "True" }],
      },
    });
  }
  for (const name of nodes) addNode(name);

  const programOf = (behaviour: string): ClusterHarness["program"] => ({
    image: "registry.example/anneal/trainer:1",
    command: ["program"],
    args: [behaviour],
  });
  const podsOf = (id: string) =>
    store.list<Pod>("Pod", namespace).filter((pod) => pod.metadata.labels?.[workloadLabel] === nameWorkload(id));
  // The fake's objects and the client's differ in how they hold times only.
  const nameOf = (pod: Pod): MemberName => `${Number(pod.metadata.labels?.[replicaLabel])}/${memberOf(pod as never)}`;
  const find = (id: string, member: MemberName): Pod => {
    const pod = podsOf(id).find((each) => nameOf(each) === member && !isOver(each));
    if (!pod) throw new Error(`${member} of "${id}" does not run.`);
    return pod;
  };

  function kubeConfig(withToken = token): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "fake", server: server.url, skipTLSVerify: true },
      { name: "worker", token: withToken },
    );
    return config;
  }

  return {
    server,
    nodes,
    program: programOf("obedient"),
    stubbornProgram: programOf("stubborn"),
    busyProgram: programOf("busy"),
    kubeConfig,
    addNode,
    podsOf,
    createDriver({ dieAtStep, ...options } = {}) {
      let steps = 0;
      return createKubernetesDriver({
        kubeConfig: kubeConfig(),
        namespace,
        bindTimeoutMs: 5000,
        marginMs: 20_000,
        pollMs: 10,
        retries,
        onStep(step) {
          if (steps === dieAtStep) throw new Error(`The driver died when it was to ${step}.`);
          steps += 1;
        },
        ...options,
      });
    },
    finishRequests(id) {
      for (const pod of podsOf(id)) answered.add(pod.metadata.uid);
      server.settle();
      return Promise.resolve();
    },
    alive(id) {
      const counts: Record<MemberName, number> = {};
      for (const pod of podsOf(id)) {
        const run = kubelet.running.get(pod.metadata.uid);
        if (run) counts[nameOf(pod)] = (counts[nameOf(pod)] ?? 0) + run.starts;
      }
      return Promise.resolve(counts);
    },
    endings(id) {
      const own = [...kubelet.endings.values()].filter(
        ({ pod }) => pod.metadata.labels?.[workloadLabel] === nameWorkload(id),
      );
      return Promise.resolve(Object.fromEntries(own.map(({ pod, how }) => [nameOf(pod), how])));
    },
    exit(id, member, exitCode) {
      kubelet.exit(find(id, member), exitCode);
      return Promise.resolve();
    },
    lose(id, member) {
      const node = store.get("Node", undefined, find(id, member).spec?.nodeName ?? "");
      if (node) store.remove(node);
      return Promise.resolve();
    },
    connection: {
      throttle: server.throttle,
      cut: server.cut,
      requests: server.requests,
      // The record and five kinds of objects; and what is still on its way from a try before.
      mostRequests: 2 * 6 * retries.attempts,
    },
    close: () => server.close(),
  };
}
