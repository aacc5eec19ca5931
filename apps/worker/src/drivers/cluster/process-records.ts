import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openReplicaFiles, readJson, type ReplicaFiles, writeJson } from "./replica-files.ts";
import { nameWorkload, workloadSchema } from "./workload.ts";

const recordSchema = z.object({
  workload: workloadSchema,
  /** A stop has begun and is not over; nothing is started any more. */
  stopping: z.boolean(),
  /** Replicas that are no longer wanted and not gone yet. */
  leaving: z.array(z.int()),
});
export type ProcessRecord = z.infer<typeof recordSchema>;

/** Log folders of workloads that were stopped, the newest; older ones are removed. */
const keptLogs = 100;

/**
 * What this machine runs, as files: `workloads/<name>/record.json`, a folder for each replica, and `logs/<name>`, which
 * outlive the workload.
 */
export function openProcessRecords(stateDir: string) {
  const directoryOf = (id: string) => join(stateDir, "workloads", nameWorkload(id));
  const logsOf = (id: string) => join(stateDir, "logs", nameWorkload(id));
  const recordFile = (directory: string) => join(directory, "record.json");
  return {
    logsOf,
    replica: (id: string, index: number): ReplicaFiles => openReplicaFiles(join(directoryOf(id), `replica-${index}`)),
    read: (id: string) => readJson(recordFile(directoryOf(id)), recordSchema),
    write: (record: ProcessRecord) => writeJson(recordFile(directoryOf(record.workload.id)), record),
    async list(): Promise<ProcessRecord[]> {
      const names = await readdir(join(stateDir, "workloads")).catch(() => []);
      const records = await Promise.all(
        names.sort().map((name) => readJson(recordFile(join(stateDir, "workloads", name)), recordSchema)),
      );
      return records.filter((record) => record !== null);
    },
    /** The record goes last: without it a replica's folder would be taken for one that was never asked to end. */
    async remove(record: ProcessRecord): Promise<void> {
      const directory = directoryOf(record.workload.id);
      for (const name of await readdir(directory).catch(() => [])) {
        if (name.startsWith("replica-")) await rm(join(directory, name), { recursive: true, force: true });
      }
      await rm(directory, { recursive: true, force: true });
      await removeOldLogs(
        join(stateDir, "logs"),
        new Set((await this.list()).map(({ workload }) => logsOf(workload.id))),
      );
    },
  };
}

async function removeOldLogs(directory: string, live: ReadonlySet<string>): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const stopped = entries.map((entry) => join(directory, entry.name)).filter((path) => !live.has(path));
  if (stopped.length <= keptLogs) return;
  const aged = await Promise.all(
    stopped.map(async (path) => ({ path, at: (await stat(path).catch(() => null))?.mtimeMs ?? 0 })),
  );
  aged.sort((one, other) => other.at - one.at);
  for (const { path } of aged.slice(keptLogs)) await rm(path, { recursive: true, force: true });
}
