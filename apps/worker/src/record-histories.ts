import { Client, Connection, type WorkflowExecutionInfo } from "@temporalio/client";
import proto from "@temporalio/proto";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * Records the newest finished run of every workflow as a file that `replay.test.ts` replays:
 * `node apps/worker/src/record-histories.ts <address of Temporal>`. To be done again whenever a change of workflow code
 * is meant to be incompatible; then the old workflows must have ended before the new worker starts.
 */
export const { History } = proto.temporal.api.history.v1;
export const historiesDir = fileURLToPath(new URL("./workflows/histories/", import.meta.url));

async function main(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  const newest = new Map<string, WorkflowExecutionInfo>();
  for await (const run of client.workflow.list({ query: "ExecutionStatus = 'Completed'" })) {
    // The list comes newest first.
    if (!newest.has(run.type)) newest.set(run.type, run);
  }
  for (const [type, { workflowId, runId }] of newest) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
    await writeFile(`${historiesDir}${type}.json`, JSON.stringify({ workflowId, history: anonymise(plain) }, null, 1));
    console.log(type);
  }
  await connection.close();
}

/** What names a machine or a place on it is no part of what a replay compares. */
function anonymise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(anonymise);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === "identity") return [key, "worker"];
      if (key === "stackTrace") return [key, ""];
      // A worker's own queue is named after its machine and process.
      if (key === "name" && typeof inner === "string" && /-[0-9a-f]{32}$/.test(inner)) return [key, "worker"];
      return [key, anonymise(inner)];
    }),
  );
}

const [address] = process.argv.slice(2);
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (address === undefined)
    throw new Error("Give the address of Temporal, as in the ANNEAL_TEMPORAL_ADDRESS of a stack.");
  await main(address);
}
