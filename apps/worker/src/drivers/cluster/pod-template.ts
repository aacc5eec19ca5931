import type {
  V1Container,
  V1EnvVar,
  V1PodTemplateSpec,
  V1Toleration,
  V1TopologySpreadConstraint,
  V1Volume,
  V1VolumeMount,
} from "@kubernetes/client-node";
import { buildDrainHook } from "./drain-hook.ts";
import { escapeReferences } from "./expand-references.ts";
import { annotationsOf, labelsOf } from "./kubernetes-labels.ts";
import { variableName } from "./plan-replica.ts";
import type { GangMember, Replica, Workload } from "./workload.ts";

export type PodSettings = {
  /** Beside those for GPU nodes and for nodes that go away. */
  tolerations: readonly V1Toleration[];
  /** Also the group, and that of its volumes. */
  runAsUser: number;
  readOnlyRootFilesystem: boolean;
  imagePullSecrets: readonly string[];
};

/** How long a pod stays on a node that does not answer: a gang waits for it in vain. */
const lostNodeSeconds = 30;
/** A large model loads for many minutes; the slowest that is still taken for alive. */
const startupSeconds = 3600;
const homePath = "/home/anneal";

export const gpuTolerations: readonly V1Toleration[] = [
  { key: "nvidia.com/gpu", operator: "Exists", effect: "NoSchedule" },
  { key: "amd.com/gpu", operator: "Exists", effect: "NoSchedule" },
];

/**
 * A pod of a replica, pinned to the nodes that were chosen: unprivileged, without an identity in the cluster, with as
 * much as it asks for and no more.
 * @param gpuResource what the chosen nodes call the member's GPUs
 */
export function buildPodTemplate(options: {
  workload: Workload;
  replica: Replica;
  /** All of the same size. */
  members: readonly GangMember[];
  gpuResource: string | null;
  role: "only" | "leader" | "worker" | "peer";
  memberIndex: V1EnvVar;
  leaderHost: string;
  subdomain?: string;
  settings: PodSettings;
}): V1PodTemplateSpec {
  const { workload, replica, members, settings } = options;
  const nodes = [...new Set(members.map((member) => member.node))];
  const labels = labelsOf(workload, replica.index);
  return {
    metadata: { labels, annotations: annotationsOf(workload) },
    spec: {
      ...(options.subdomain === undefined ? {} : { subdomain: options.subdomain }),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      restartPolicy: workload.kind === "training" ? "Never" : "Always",
      terminationGracePeriodSeconds: Math.ceil(workload.graceMs / 1000),
      ...(workload.priorityClass === undefined ? {} : { priorityClassName: workload.priorityClass }),
      ...(settings.imagePullSecrets.length === 0
        ? {}
        : { imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })) }),
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            // By name, which is not always the host name; a field takes one value, and terms are alternatives.
            nodeSelectorTerms: nodes.map((node) => ({
              matchFields: [{ key: "metadata.name", operator: "In", values: [node] }],
            })),
          },
        },
      },
      ...(nodes.length === 1 ? {} : { topologySpreadConstraints: [spreadEvenly(labels)] }),
      tolerations: [
        ...gpuTolerations,
        ...["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].map((key) => ({
          key,
          operator: "Exists",
          effect: "NoExecute",
          tolerationSeconds: lostNodeSeconds,
        })),
        ...settings.tolerations,
      ],
      securityContext: {
        runAsNonRoot: true,
        runAsUser: settings.runAsUser,
        runAsGroup: settings.runAsUser,
        fsGroup: settings.runAsUser,
        // A large volume is not walked through at every start.
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [buildContainer(options, members[0]!)],
      volumes: buildVolumes(workload, members[0]!),
    },
  };
}

/**
 * As many members on every chosen node: with a skew of at most 1, and members a multiple of the nodes, every node gets
 * the same number. Within an indexed Job there is no way to pin a single member.
 */
function spreadEvenly(labels: Record<string, string>): V1TopologySpreadConstraint {
  return {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "DoNotSchedule",
    labelSelector: { matchLabels: labels },
    nodeAffinityPolicy: "Honor",
    nodeTaintsPolicy: "Honor",
  };
}

function buildContainer(options: Parameters<typeof buildPodTemplate>[0], member: GangMember): V1Container {
  const { workload, role, settings } = options;
  const leads = role !== "worker";
  const resources = {
    cpu: `${member.cpuMilli}m`,
    memory: String(member.memoryBytes),
    ...(options.gpuResource === null || member.gpus === 0 ? {} : { [options.gpuResource]: String(member.gpus) }),
  };
  const { drain, health } = workload;
  const portOf = (name: string) => workload.ports.find((port) => port.name === name)?.port ?? 0;
  const get = health && { path: health.path, port: portOf(health.port) };
  return {
    name: "main",
    image: workload.image ?? "",
    command: workload.command,
    args: role === "worker" ? (workload.workerArgs ?? workload.args) : workload.args,
    env: buildEnvironment(options),
    // Equal, so that no pod takes what another was promised (QoS class Guaranteed).
    resources: { requests: resources, limits: resources },
    ...(leads ? { ports: workload.ports.map(({ name, port }) => ({ name, containerPort: port })) } : {}),
    ...(leads && get
      ? {
          startupProbe: { httpGet: get, periodSeconds: 5, failureThreshold: startupSeconds / 5, timeoutSeconds: 3 },
          // No liveness probe: an engine under load answers late, and killing it would lose what it is answering.
          readinessProbe: { httpGet: get, periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 3 },
        }
      : {}),
    ...(leads && drain
      ? { lifecycle: { preStop: buildDrainHook({ ...drain, port: portOf(drain.port), graceMs: workload.graceMs }) } }
      : {}),
    volumeMounts: buildMounts(workload),
    // The last lines of the log come back with the exit code.
    terminationMessagePolicy: "FallbackToLogsOnError",
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: settings.readOnlyRootFilesystem,
      capabilities: { drop: ["ALL"] },
    },
  };
}

function buildEnvironment(options: Parameters<typeof buildPodTemplate>[0]): V1EnvVar[] {
  const { workload, replica } = options;
  const own: Record<string, string> = {
    // The image does not know our user: libraries that look for its home or name fail without these.
    HOME: homePath,
    USER: "anneal",
    LOGNAME: "anneal",
    ...Object.fromEntries(workload.ports.map(({ name, port }) => [variableName("PORT", name), String(port)])),
    ...Object.fromEntries(workload.volumes.map(({ name, mountPath }) => [variableName("VOLUME", name), mountPath])),
    ANNEAL_REPLICA: String(replica.index),
    ANNEAL_MEMBER_COUNT: String(replica.gang.length),
    ANNEAL_LEADER_HOST: options.leaderHost,
  };
  const given = Object.entries(workload.env).flatMap(([name, value]): V1EnvVar[] => {
    // Kubernetes would expand references in values, which the other driver does not.
    if (typeof value === "string") return [{ name, value: escapeReferences(value) }];
    if ("secret" in value) return [{ name, valueFrom: { secretKeyRef: value.secret } }];
    return [];
  });
  const names = new Set(given.map((each) => each.name));
  return [
    ...Object.entries(own)
      .filter(([name]) => !names.has(name))
      .map(([name, value]) => ({ name, value })),
    options.memberIndex,
    ...given,
  ];
}

function buildVolumes(workload: Workload, member: GangMember): V1Volume[] {
  return [
    // Processes of one program share memory through it; what they put there counts towards the container's memory.
    { name: "shm", emptyDir: { medium: "Memory", sizeLimit: String(Math.floor(member.memoryBytes / 2)) } },
    { name: "tmp", emptyDir: {} },
    { name: "home", emptyDir: {} },
    ...workload.volumes.flatMap(({ name, readOnly, source }): V1Volume[] => {
      if (source.kind === "claim")
        return [{ name: `v-${name}`, persistentVolumeClaim: { claimName: source.claimName, readOnly } }];
      if (source.kind === "scratch") return [{ name: `v-${name}`, emptyDir: { sizeLimit: String(source.sizeBytes) } }];
      return [];
    }),
  ];
}

function buildMounts(workload: Workload): V1VolumeMount[] {
  return [
    { name: "shm", mountPath: "/dev/shm" },
    { name: "tmp", mountPath: "/tmp" },
    { name: "home", mountPath: homePath },
    ...workload.volumes.map(({ name, mountPath, readOnly }) => ({ name: `v-${name}`, mountPath, readOnly })),
  ];
}
