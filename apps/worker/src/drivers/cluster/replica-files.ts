import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { processIdentitySchema, type ProcessIdentity } from "./process-table.ts";

/** What the driver tells the runner of a replica: written once, before the runner is started. */
const replicaPlanSchema = z.object({
  /** See `markVariable`. */
  mark: z.string(),
  /** Serving: all members are started again whenever one ends. */
  restart: z.boolean(),
  /** How long the others have to end after one member failed. */
  siblingGraceMs: z.int(),
  members: z.array(
    z.object({
      node: z.string(),
      command: z.array(z.string()).min(1),
      env: z.record(z.string(), z.string()),
      /** Variables whose values are read from these files when the member starts; they are stored nowhere else. */
      secretFiles: z.record(z.string(), z.string()),
      directory: z.string(),
      logFile: z.string(),
      gpus: z.array(z.object({ id: z.string(), milli: z.int() })),
      cpuMilli: z.int(),
      memoryBytes: z.int(),
    }),
  ),
  /** Of the first member, by name. */
  ports: z.record(z.string(), z.int()),
});
export type ReplicaPlan = z.infer<typeof replicaPlanSchema>;

const failureSchema = z.object({ reason: z.string(), exitCode: z.int() });
export type MemberFailure = z.infer<typeof failureSchema>;

/** How a replica that is not restarted ended. */
const replicaResultSchema = z.object({ failure: failureSchema.nullable() });
export type ReplicaResult = z.infer<typeof replicaResultSchema>;

/** Where a replica that is restarted stands. */
const replicaProgressSchema = z.object({
  status: z.enum(["running", "waiting"]),
  restarts: z.int(),
  last: failureSchema.nullable(),
});
export type ReplicaProgress = z.infer<typeof replicaProgressSchema>;

export type ReplicaFiles = ReturnType<typeof openReplicaFiles>;

/** What driver and runner of one replica leave for each other; both may die at any time. */
export function openReplicaFiles(directory: string) {
  const path = (name: string) => join(directory, name);
  return {
    directory,
    readPlan: () => readJson(path("plan.json"), replicaPlanSchema),
    writePlan: (plan: ReplicaPlan) => writeJson(path("plan.json"), plan),
    readRunner: () => readJson(path("runner.json"), processIdentitySchema),
    /** @returns false when another runner was first */
    claimRunner: (identity: ProcessIdentity) => createJson(path("runner.json"), identity),
    forgetRunner: () => rm(path("runner.json"), { force: true }),
    readResult: () => readJson(path("result.json"), replicaResultSchema),
    writeResult: (result: ReplicaResult) => writeJson(path("result.json"), result),
    readProgress: () => readJson(path("progress.json"), replicaProgressSchema),
    writeProgress: (progress: ReplicaProgress) => writeJson(path("progress.json"), progress),
  };
}

/** @returns null when there is no such file */
export async function readJson<Schema extends z.ZodType>(
  file: string,
  schema: Schema,
): Promise<z.infer<Schema> | null> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? null : schema.parse(JSON.parse(text));
}

/** All of it or nothing, also when the power fails in between: readers never see half a file. */
export async function writeJson(file: string, value: unknown): Promise<void> {
  const temporary = await writeTemporary(file, value);
  await rename(temporary, file);
}

/** Like `writeJson`, for the first only. */
async function createJson(file: string, value: unknown): Promise<boolean> {
  const temporary = await writeTemporary(file, value);
  try {
    await link(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeTemporary(file: string, value: unknown): Promise<string> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.${performance.now()}.tmp`;
  await writeFile(temporary, JSON.stringify(value), { flush: true });
  return temporary;
}
