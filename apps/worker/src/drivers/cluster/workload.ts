import { AnnealError } from "@anneal/core/errors";
import { createHash } from "node:crypto";
import { z } from "zod";

/**
 * What a driver is asked to run, placed already: the scheduler has chosen a node for every member. It holds no secret,
 * only where one is found, so that drivers may store it as it is (a ConfigMap, a file) and compare it later.
 */

/** One pod, or one process with all that it starts. Training starts one a node and lets it use the node's share. */
const gangMemberSchema = z.strictObject({
  node: z.string().min(1),
  /** Whole GPUs; slices of `migProfile` where that is given. */
  gpus: z.int().min(0).max(1024),
  /** Thousandths of one GPU that is shared with others; only with `gpus: 1`, and only on this machine. */
  gpuMilli: z.int().min(1).max(999).optional(),
  /** As NVIDIA spells it: "1g.10gb", "1g.10gb+me". */
  migProfile: z
    .string()
    .regex(/^(\d+c\.)?\d+g\.\d+gb(\+[a-z0-9.]+)?$/)
    .optional(),
  /**
   * The GPUs that the scheduler chose, by their numbers in the node: as many as `gpus`. On Kubernetes the device plugin
   * of the node chooses, and slices have no numbers: there these are left alone.
   */
  gpuIndices: z.array(z.int().min(0)).optional(),
  gpuVendor: z.enum(["nvidia", "amd"]).default("nvidia"),
  cpuMilli: z.int().positive(),
  memoryBytes: z.int().positive(),
});

/** Members that are of use only together: all of them run, or none does. The first one leads. */
const replicaSchema = z.strictObject({
  index: z.int().min(0).max(9999),
  gang: z.array(gangMemberSchema).min(1).max(1024),
});

/** A value in plain, a key of a Kubernetes Secret in the workload's namespace, or a file on this machine. */
const environmentValueSchema = z.union([
  z.string(),
  z.strictObject({ secret: z.strictObject({ name: z.string().min(1), key: z.string().min(1) }) }),
  z.strictObject({ file: z.string().startsWith("/") }),
]);

const volumeSchema = z.strictObject({
  name: z.string().regex(/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/),
  /** Where Kubernetes mounts it. Both drivers tell the program the path in `ANNEAL_VOLUME_<NAME>`. */
  mountPath: z.string().startsWith("/"),
  readOnly: z.boolean().default(false),
  source: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("claim"), claimName: z.string().min(1) }),
    z.strictObject({ kind: z.literal("folder"), path: z.string().startsWith("/") }),
    /** Emptied with the replica. */
    z.strictObject({ kind: z.literal("scratch"), sizeBytes: z.int().positive() }),
  ]),
});

/** A name that Kubernetes accepts for a port (IANA service name). */
const portNameSchema = z.string().regex(/^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$/);

export const workloadSchema = z
  .strictObject({
    /** Never used twice: a driver starts an id once, and `start` with the same id is the same start. */
    id: z.string().min(1).max(200),
    /** Training ends by itself and is not restarted; serving is restarted whenever it ends. */
    kind: z.enum(["training", "serving"]),
    workspaceId: z.string().min(1).max(200),
    /** Training has exactly one, of index 0. An index stays with its replica for as long as that lives. */
    replicas: z.array(replicaSchema).max(1000),
    /** Needed by Kubernetes only. */
    image: z.string().min(1).optional(),
    /** `$(NAME)` in these and in the arguments stands for a variable, as Kubernetes has it. */
    command: z.array(z.string()).min(1),
    args: z.array(z.string()).default([]),
    /** What members after the first get instead of `args`, where a serving gang needs that. */
    workerArgs: z.array(z.string()).optional(),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), environmentValueSchema).default({}),
    volumes: z.array(volumeSchema).default([]),
    /**
     * On Kubernetes the port is the one given. On this machine a taken port is replaced by a free one, so a program must
     * take it from `$(ANNEAL_PORT_<NAME>)`.
     */
    ports: z.array(z.strictObject({ name: portNameSchema, port: z.int().min(1).max(65535) })).default([]),
    labels: z
      .record(z.string().regex(/^([a-z0-9.-]+\/)?[A-Za-z0-9][-A-Za-z0-9_.]{0,62}$/), z.string().max(63))
      .default({}),
    /** Name of a Kubernetes PriorityClass. */
    priorityClass: z.string().optional(),
    /** The longest that it may take to end by itself after it was asked to; `stop` can shorten it. */
    graceMs: z.int().positive().default(120_000),
    /** It counts as running once a GET of this path on its first member answers 2xx. */
    health: z.strictObject({ port: portNameSchema, path: z.string().startsWith("/") }).optional(),
    /**
     * Before it is asked to end, its first member is given time until these gauges of its metrics page add up to 0: for
     * vLLM, which cuts requests off when it is asked to end, the running and the waiting ones.
     */
    drain: z
      .strictObject({ port: portNameSchema, path: z.string().startsWith("/"), gauges: z.array(z.string()).min(1) })
      .optional(),
  })
  .superRefine((workload, context) => {
    const complain = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message, input: workload });
    const { replicas } = workload;
    if (workload.kind === "training" && (replicas.length !== 1 || replicas[0]?.index !== 0)) {
      complain(["replicas"], "Training has exactly one replica, of index 0");
    }
    if (new Set(replicas.map((replica) => replica.index)).size < replicas.length) {
      complain(["replicas"], "Two replicas have the same index");
    }
    if (new Set(replicas.map((replica) => replica.gang.length)).size > 1) {
      complain(["replicas"], "All replicas have as many members");
    }
    if (workload.kind === "training" && workload.workerArgs) {
      complain(["workerArgs"], "Only a serving gang can have other arguments for its workers");
    }
    for (const [at, replica] of replicas.entries()) {
      for (const [position, member] of replica.gang.entries()) {
        if (member.gpuIndices && new Set(member.gpuIndices).size !== member.gpus) {
          complain(
            ["replicas", at, "gang", position, "gpuIndices"],
            "As many different GPUs are named as there are in gpus",
          );
        }
        if (member.gpuMilli !== undefined && (member.gpus !== 1 || member.migProfile)) {
          complain(
            ["replicas", at, "gang", position, "gpuMilli"],
            "A share is of one whole GPU: gpus must be 1, without a MIG profile",
          );
        }
      }
    }
    for (const listed of ["ports", "volumes"] as const) {
      if (new Set(workload[listed].map((each) => each.name)).size < workload[listed].length) {
        complain([listed], "Two have the same name");
      }
    }
    for (const [field, port] of [
      ["health", workload.health?.port],
      ["drain", workload.drain?.port],
    ] as const) {
      if (port !== undefined && !workload.ports.some((each) => each.name === port)) {
        complain([field, "port"], `"${port}" is not one of the ports`);
      }
    }
    for (const [key, value] of Object.entries(workload.env)) {
      if (key.startsWith("ANNEAL_")) complain(["env", key], "Names that begin with ANNEAL_ are set by the driver");
      if (typeof value === "string" && soundsSecret(key)) {
        complain(["env", key], "A secret is given by reference ({ secret } or { file }), never in plain");
      }
    }
  });

export type Workload = z.infer<typeof workloadSchema>;
export type Replica = Workload["replicas"][number];
export type GangMember = Replica["gang"][number];
export type EnvironmentValue = Workload["env"][string];
/** As a caller writes it, with what has a default left out. */
export type WorkloadInput = z.input<typeof workloadSchema>;

/** @throws AnnealError INVALID_INPUT, naming the field */
export function parseWorkload(input: unknown): Workload {
  const parsed = workloadSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join(".") ?? "";
  throw new AnnealError(
    "INVALID_INPUT",
    `The workload cannot be run: ${field === "" ? "" : `${field}: `}${issue?.message}.`,
    {
      action: "Correct this field of the workload and start it again.",
      details: { field },
    },
  );
}

/** Whether two descriptions ask for the same program; which replicas there are changes over its life and is left out. */
export function isSameProgram(one: Workload, other: Workload): boolean {
  const program = ({ replicas: _, ...rest }: Workload) => JSON.stringify(sortKeys(rest));
  return program(one) === program(other);
}

/** A name for folders and Kubernetes objects: readable, unlike any other id's, and short enough for what is appended to it. */
export function nameWorkload(id: string): string {
  const slug = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 20)
    .replace(/-$/, "");
  const hash = createHash("sha256").update(id).digest("hex").slice(0, 10);
  return `anneal-${slug === "" ? "" : `${slug}-`}${hash}`;
}

function soundsSecret(key: string): boolean {
  const words = key.toUpperCase().split("_");
  return (
    words.some((word) => ["TOKEN", "PASSWORD", "PASSWD", "SECRET", "CREDENTIALS", "APIKEY"].includes(word)) ||
    words.at(-1) === "KEY"
  );
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, each]) => [key, sortKeys(each)]),
  );
}
