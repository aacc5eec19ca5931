import { AnnealError } from "@anneal/core/errors";
import { join } from "node:path";
import { assignGpus, type GpuShare } from "./assign-gpus.ts";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";
import type { ReplicaPlan } from "./replica-files.ts";
import { refusal } from "./check-fit.ts";
import type { Replica, Workload } from "./workload.ts";

/**
 * What the runner of a replica on this machine is to do.
 * @param held what live members have of the GPUs
 * @param baseEnv what every program gets; never the worker's own environment, which holds its secrets
 * @throws AnnealError ADMISSION_REFUSED when the GPUs do not suffice
 */
export function planReplica(options: {
  workload: Workload;
  replica: Replica;
  mark: string;
  directory: string;
  logDirectory: string;
  devices: readonly GpuDevice[];
  held: readonly GpuShare[];
  ports: Record<string, number>;
  baseEnv: Record<string, string>;
  siblingGraceMs: number;
}): ReplicaPlan {
  const { workload, replica, directory, ports } = options;
  const held = [...options.held];
  const members = replica.gang.map((member, position): ReplicaPlan["members"][number] => {
    const gpus = assignGpus(options.devices, held, member);
    if (!gpus) {
      const reason = member.gpuIndices
        ? `not all of its GPUs ${member.gpuIndices.join(", ")} are free`
        : "no GPU is left that is free as a whole";
      throw refusal(workload.id, [{ replica: replica.index, member: position, node: member.node, reason }]);
    }
    held.push(...gpus);
    const args = position > 0 ? (workload.workerArgs ?? workload.args) : workload.args;
    const plain = Object.entries(workload.env).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    );
    return {
      node: member.node,
      command: [...workload.command, ...args],
      env: {
        ...options.baseEnv,
        ...Object.fromEntries(plain),
        ...portVariables(ports),
        ...volumeVariables(workload, directory),
        ANNEAL_REPLICA: String(replica.index),
        ANNEAL_MEMBER_INDEX: String(position),
        ANNEAL_MEMBER_COUNT: String(replica.gang.length),
        ANNEAL_LEADER_HOST: "127.0.0.1",
        // Empty hides them all: a program that was given none must not take one.
        CUDA_VISIBLE_DEVICES: gpus.map((share) => share.id).join(","),
      },
      secretFiles: Object.fromEntries(
        Object.entries(workload.env).flatMap(([name, value]) =>
          typeof value !== "string" && "file" in value ? [[name, value.file]] : [],
        ),
      ),
      directory: join(directory, `member-${position}`),
      logFile: join(options.logDirectory, `replica-${replica.index}-member-${position}.log`),
      gpus,
      cpuMilli: member.cpuMilli,
      memoryBytes: member.memoryBytes,
    };
  });
  return {
    mark: options.mark,
    restart: workload.kind === "serving",
    siblingGraceMs: options.siblingGraceMs,
    members,
    ports,
  };
}

/** @throws AnnealError INVALID_INPUT for what only Kubernetes can do */
export function requireProcesses(workload: Workload): void {
  const refuse = (field: string, what: string, instead: string): never => {
    throw new AnnealError("INVALID_INPUT", `"${workload.id}" cannot run on this machine: ${field} ${what}.`, {
      action: instead,
      details: { workloadId: workload.id, field },
    });
  };
  for (const [name, value] of Object.entries(workload.env)) {
    if (typeof value !== "string" && "secret" in value) {
      refuse(`env.${name}`, "names a Kubernetes Secret", "Give the secret as { file: <path> }.");
    }
  }
  for (const { name, source } of workload.volumes) {
    if (source.kind === "claim") {
      refuse(`volumes.${name}`, "is a Kubernetes volume claim", 'Give a folder: { kind: "folder", path: <path> }.');
    }
  }
}

function portVariables(ports: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(ports).map(([name, port]) => [variableName("PORT", name), String(port)]));
}

function volumeVariables(workload: Workload, directory: string): Record<string, string> {
  return Object.fromEntries(
    workload.volumes.map(({ name, source }) => [
      variableName("VOLUME", name),
      source.kind === "folder" ? source.path : join(directory, `scratch-${name}`),
    ]),
  );
}

/** "ANNEAL_PORT_HTTP" for a port named "http": both drivers call them so. */
export function variableName(kind: "PORT" | "VOLUME", name: string): string {
  return `ANNEAL_${kind}_${name.toUpperCase().replaceAll("-", "_")}`;
}
