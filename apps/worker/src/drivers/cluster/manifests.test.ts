import type { V1Deployment, V1Job, V1PodSpec, V1Service } from "@kubernetes/client-node";
import { expect, it } from "vitest";
import type { LeaderWorkerSet } from "./leader-worker-set.ts";
import { buildRecord, buildReplica, readRecord, requireKubernetes } from "./manifests.ts";
import { validateManifest } from "./validate-manifest.fixture.ts";
import { type GangMember, parseWorkload, type Workload, type WorkloadInput } from "./workload.ts";

const gib = 1024 ** 3;
const settings = {
  namespace: "anneal",
  tolerations: [{ key: "pool", operator: "Equal", value: "gold", effect: "NoSchedule" }],
  runAsUser: 1000,
  readOnlyRootFilesystem: true,
  imagePullSecrets: ["registry"],
};
const member = (node: string, overrides: Partial<GangMember> = {}): GangMember => ({
  node,
  gpus: 8,
  gpuVendor: "nvidia",
  cpuMilli: 90_000,
  memoryBytes: 900 * gib,
  ...overrides,
});
/** With everything that a workload can have. */
const workload = (overrides: Partial<WorkloadInput> = {}): Workload =>
  parseWorkload({
    id: "Run 7 / train (größe)",
    kind: "training",
    workspaceId: "Forschung & Lehre",
    replicas: [{ index: 0, gang: [member("gpu-a"), member("gpu-b")] }],
    image: "registry.example/anneal/trainer@sha256:0000",
    command: ["torchrun", "--nnodes=$(ANNEAL_MEMBER_COUNT)", "--node-rank=$(ANNEAL_MEMBER_INDEX)"],
    args: ["--config=$(ANNEAL_VOLUME_RUN)/config.json"],
    env: { NCCL_DEBUG: "WARN", HF_TOKEN: { secret: { name: "hub", key: "token" } }, PRICE: "$(5) & $$" },
    volumes: [
      { name: "run", mountPath: "/run-data", source: { kind: "claim", claimName: "runs" } },
      { name: "models", mountPath: "/models", readOnly: true, source: { kind: "claim", claimName: "models" } },
      { name: "scratch", mountPath: "/scratch", source: { kind: "scratch", sizeBytes: 100 * gib } },
    ],
    ports: [{ name: "http", port: 8000 }],
    labels: { "cost-center": "42" },
    priorityClass: "anneal-training",
    graceMs: 300_000,
    ...overrides,
  });
const vllm: Partial<WorkloadInput> = {
  kind: "serving",
  id: "llama",
  health: { port: "http", path: "/health" },
  drain: { port: "http", path: "/metrics", gauges: ["vllm:num_requests_running", "vllm:num_requests_waiting"] },
};
const build = (of: Workload, replica = 0, gpuResource: string | null = "nvidia.com/gpu") => {
  const owner = { ...buildRecord(of, settings.namespace) };
  owner.metadata = { ...owner.metadata, uid: "4b1d" };
  return buildReplica(of, of.replicas[replica]!, { settings, owner, gpuResource });
};
const serving = (replicas: GangMember[][], overrides: Partial<WorkloadInput> = {}) =>
  workload({ ...vllm, replicas: replicas.map((gang, index) => ({ index, gang })), ...overrides });
const problemsOf = (objects: object[]) =>
  // As they go over the wire: without what is undefined.
  objects.flatMap((object) => validateManifest(JSON.parse(JSON.stringify(object))));

it.each<[string, Workload]>([
  ["a training on one node", workload({ replicas: [{ index: 0, gang: [member("gpu-a")] }] })],
  ["a gang", workload()],
  [
    "a gang without GPUs",
    workload({ replicas: [{ index: 0, gang: [member("a", { gpus: 0 }), member("b", { gpus: 0 })] }] }),
  ],
  ["a server on one node", serving([[member("gpu-a")]])],
  ["a server over two nodes", serving([[member("gpu-a"), member("gpu-b")]])],
  ["a server of slices", serving([[member("gpu-a", { gpus: 1, migProfile: "1g.10gb" })]])],
  [
    "a server without health check, ports and volumes",
    serving([[member("gpu-a")]], { health: undefined, drain: undefined, ports: [], volumes: [] }),
  ],
  ["an id as long as one may be", workload({ id: "ä/".repeat(100) })],
])("is valid by Kubernetes' published schemas: %s", (_, of) => {
  expect(problemsOf([buildRecord(of, "anneal"), ...build(of)])).toEqual([]);
});

it("shows that the validation finds what is wrong", () => {
  const [service, job] = build(workload()) as [V1Service, V1Job];
  const broken = (change: (copy: V1Job) => void) => {
    const copy = structuredClone(job);
    change(copy);
    return problemsOf([copy]).join();
  };
  expect(broken((copy) => delete (copy.spec!.template.spec!.containers[0] as { name?: string }).name)).toContain(
    "name",
  );
  expect(broken((copy) => (copy.spec!.completions = "2" as never))).toContain("completions");
  expect(broken((copy) => (copy.spec!.podFailurePolicy!.rules[0]!.action = "Explode"))).toContain("action");
  expect(broken((copy) => Object.assign(copy.spec!.template.spec!, { nodeSelectr: {} }))).toContain("nodeSelectr");
  expect(broken((copy) => (copy.spec!.template.spec!.containers[0]!.resources!.limits!["memory"] = "lots"))).toContain(
    "memory",
  );
  expect(broken((copy) => (copy.spec!.template.spec!.restartPolicy = "Always"))).toContain("restartPolicy");
  expect(
    broken((copy) => {
      const affinity = copy.spec!.template.spec!.affinity!.nodeAffinity!;
      affinity.requiredDuringSchedulingIgnoredDuringExecution!.nodeSelectorTerms[0]!.matchFields![0]!.values = [
        "a",
        "b",
      ];
    }),
  ).toContain("matchFields");
  expect(problemsOf([{ ...service, metadata: { ...service.metadata, name: "7-starts-with-a-digit" } }])).toHaveLength(
    1,
  );
  const [set] = build(serving([[member("a"), member("b")]])) as [LeaderWorkerSet];
  expect(problemsOf([{ ...set, spec: { ...set.spec, startupPolicy: "Soon" } }])).toHaveLength(1);
  expect(problemsOf([{ ...set, spec: { ...set.spec, sizes: 2 } }])).toHaveLength(1);
});

it("keeps what a workload is in its record, and no secret", () => {
  const of = workload();
  const record = buildRecord(of, "anneal");
  expect(readRecord(record)).toEqual(of);
  expect(JSON.stringify(record)).toContain('\\"secret\\":{\\"name\\":\\"hub\\"');
});

it("makes a gang an indexed Job that waits, ends with its first failing member, and has a name for each member", () => {
  const [service, job] = build(workload()) as [V1Service, V1Job];
  expect(service.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
  expect(job.spec).toMatchObject({
    suspend: true,
    completionMode: "Indexed",
    completions: 2,
    parallelism: 2,
    backoffLimit: 0,
    podReplacementPolicy: "Failed",
  });
  expect(job.spec?.podFailurePolicy?.rules).toEqual([
    { action: "FailJob", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
  ]);
  const pod = job.spec?.template.spec;
  expect(pod?.subdomain).toBe(service.metadata?.name);
  expect(service.spec?.selector).toEqual(job.spec?.template.metadata?.labels);
  const env = new Map(pod?.containers[0]?.env?.map((each) => [each.name, each]));
  expect(env.get("ANNEAL_LEADER_HOST")?.value).toBe(`${job.metadata?.name}-0.${job.metadata?.name}.anneal.svc`);
  expect(env.get("ANNEAL_MEMBER_INDEX")?.valueFrom?.fieldRef?.fieldPath).toBe(
    "metadata.labels['batch.kubernetes.io/job-completion-index']",
  );
});

it("starts a training of one member at once", () => {
  const [job] = build(workload({ replicas: [{ index: 0, gang: [member("gpu-a")] }] })) as [V1Job];
  expect(job.spec).toMatchObject({ completions: 1, parallelism: 1, backoffLimit: 0 });
  expect(job.spec?.suspend).toBeUndefined();
});

it("pins pods to the nodes that were chosen, as many to each", () => {
  const [, job] = build(workload()) as [V1Service, V1Job];
  const pod = job.spec?.template.spec;
  const terms = pod?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  expect(terms?.map((term) => term.matchFields?.[0]?.values)).toEqual([["gpu-a"], ["gpu-b"]]);
  expect(pod?.topologySpreadConstraints).toMatchObject([
    { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule" },
  ]);
  const [alone] = build(serving([[member("gpu-c")]])) as [V1Deployment];
  expect(alone.spec?.template.spec?.topologySpreadConstraints).toBeUndefined();
});

/** Every pod spec that we write. */
const podSpecs = (): V1PodSpec[] => {
  const [, job] = build(workload()) as [V1Service, V1Job];
  const [deployment] = build(serving([[member("gpu-a")]])) as [V1Deployment];
  const [set] = build(serving([[member("gpu-a"), member("gpu-b")]])) as [LeaderWorkerSet];
  const { leaderTemplate, workerTemplate } = set.spec.leaderWorkerTemplate;
  return [job.spec!.template, deployment.spec!.template, leaderTemplate, workerTemplate].map((each) => each.spec!);
};

it("gives no pod more rights than its program needs", () => {
  for (const pod of podSpecs()) {
    expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(pod.hostNetwork ?? pod.hostPID ?? pod.hostIPC ?? false).toBe(false);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: "RuntimeDefault" },
    });
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
    }
    expect(pod.volumes?.some((volume) => volume.hostPath !== undefined)).toBe(false);
  }
});

it("asks for as much as a pod may use, so that none takes what another was promised", () => {
  for (const pod of podSpecs()) {
    const { requests, limits } = pod.containers[0]!.resources!;
    expect(requests).toEqual(limits);
    expect(limits).toEqual({ cpu: "90000m", memory: String(900 * gib), "nvidia.com/gpu": "8" });
  }
  const slices = serving([[member("gpu-a", { gpus: 2, migProfile: "1g.10gb" })]]);
  const [deployment] = build(slices, 0, "nvidia.com/mig-1g.10gb") as [V1Deployment];
  expect(deployment.spec?.template.spec?.containers[0]?.resources?.limits).toMatchObject({
    "nvidia.com/mig-1g.10gb": "2",
  });
});

it("gives programs shared memory, and places to write to", () => {
  for (const pod of podSpecs()) {
    expect(pod.volumes?.find((volume) => volume.name === "shm")?.emptyDir).toEqual({
      medium: "Memory",
      sizeLimit: String(450 * gib),
    });
    const mounts = pod.containers[0]?.volumeMounts
      ?.filter((mount) => mount.readOnly !== true)
      .map((mount) => mount.mountPath);
    expect(mounts).toEqual(["/dev/shm", "/tmp", "/home/anneal", "/run-data", "/scratch"]);
  }
});

it("names secrets and never holds one, and passes values on as they are", () => {
  for (const pod of podSpecs()) {
    const env = new Map(pod.containers[0]?.env?.map((each) => [each.name, each]));
    expect(env.get("HF_TOKEN")).toEqual({
      name: "HF_TOKEN",
      valueFrom: { secretKeyRef: { name: "hub", key: "token" } },
    });
    // Kubernetes expands $(…) and $$ in values.
    expect(env.get("PRICE")?.value).toBe("$$(5) & $$$$");
    expect(env.get("ANNEAL_PORT_HTTP")?.value).toBe("8000");
    expect(env.get("ANNEAL_VOLUME_MODELS")?.value).toBe("/models");
  }
});

it("waits for a server's requests before it is asked to end, within its grace", () => {
  const [deployment] = build(serving([[member("gpu-a")]])) as [V1Deployment];
  const pod = deployment.spec?.template.spec;
  expect(pod?.terminationGracePeriodSeconds).toBe(300);
  const hook = pod?.containers[0]?.lifecycle?.preStop?.exec?.command;
  expect(hook?.slice(0, 2)).toEqual(["python3", "-c"]);
  expect(hook?.slice(3)).toEqual([
    "http://127.0.0.1:8000/metrics",
    "240",
    "vllm:num_requests_running",
    "vllm:num_requests_waiting",
  ]);
  expect(pod?.containers[0]?.readinessProbe?.httpGet).toEqual({ path: "/health", port: 8000 });
  expect(pod?.containers[0]?.livenessProbe).toBeUndefined();
});

it("makes a server over several nodes one group, of which only the leader is asked", () => {
  const of = serving([[member("gpu-a"), member("gpu-b"), member("gpu-c")]], { workerArgs: ["--headless"] });
  const [set] = build(of) as [LeaderWorkerSet];
  expect(set.spec).toMatchObject({
    replicas: 1,
    startupPolicy: "LeaderCreated",
    leaderWorkerTemplate: { size: 3, restartPolicy: "RecreateGroupOnPodRestart" },
  });
  const { leaderTemplate, workerTemplate } = set.spec.leaderWorkerTemplate;
  const [leader, worker] = [leaderTemplate, workerTemplate].map((template) => template.spec!.containers[0]!);
  expect(leader?.args).toEqual(["--config=$(ANNEAL_VOLUME_RUN)/config.json"]);
  expect(worker?.args).toEqual(["--headless"]);
  expect([leader?.readinessProbe, leader?.lifecycle].every(Boolean)).toBe(true);
  expect([worker?.readinessProbe, worker?.lifecycle, worker?.ports].some(Boolean)).toBe(false);
});

it("gives every replica objects of its own, owned by the record", () => {
  const of = serving([[member("gpu-a")], [member("gpu-b")]]);
  const [first, second] = [build(of, 0)[0]!, build(of, 1)[0]!];
  expect(first.metadata?.name).not.toBe(second.metadata?.name);
  for (const object of [first, second]) {
    expect(object.metadata?.ownerReferences).toMatchObject([
      { kind: "ConfigMap", uid: "4b1d", blockOwnerDeletion: true },
    ]);
    expect(object.metadata?.labels).toMatchObject({
      "app.kubernetes.io/managed-by": "anneal",
      "app.kubernetes.io/part-of": "anneal",
      "app.kubernetes.io/component": "serving",
      "cost-center": "42",
    });
  }
  const selectors = [first, second].map((object) => (object as V1Deployment).spec?.selector.matchLabels);
  expect(selectors[0]).not.toEqual(selectors[1]);
});

it("passes on tolerations, priority and pull secrets", () => {
  for (const pod of podSpecs()) {
    expect(pod.priorityClassName).toBe("anneal-training");
    expect(pod.imagePullSecrets).toEqual([{ name: "registry" }]);
    expect(pod.tolerations).toContainEqual({ key: "pool", operator: "Equal", value: "gold", effect: "NoSchedule" });
    expect(pod.tolerations).toContainEqual({ key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" });
    const lost = pod.tolerations?.find((toleration) => toleration.key === "node.kubernetes.io/unreachable");
    expect(lost?.tolerationSeconds).toBe(30);
  }
});

it.each<[string, Partial<WorkloadInput>, string]>([
  ["no image", { image: undefined }, "image"],
  ["a secret in a file", { env: { HF_TOKEN: { file: "/run/token" } } }, "env.HF_TOKEN"],
  [
    "a folder",
    { volumes: [{ name: "run", mountPath: "/r", source: { kind: "folder", path: "/data" } }] },
    "volumes.run",
  ],
  ["a part of a GPU", { replicas: [{ index: 0, gang: [member("a", { gpus: 1, gpuMilli: 500 })] }] }, "replicas.0.gang"],
  [
    "members of different sizes",
    { replicas: [{ index: 0, gang: [member("a"), member("b", { gpus: 4 })] }] },
    "replicas.0.gang",
  ],
  [
    "more members on one node than on another",
    { replicas: [{ index: 0, gang: [member("a"), member("a"), member("b")] }] },
    "replicas.0.gang",
  ],
])("refuses what Kubernetes cannot run: %s", (_, change, field) => {
  expect(() => requireKubernetes(workload(change))).toThrow(
    expect.objectContaining({ code: "INVALID_INPUT", details: { workloadId: "Run 7 / train (größe)", field } }),
  );
});
