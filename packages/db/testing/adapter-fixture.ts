import { randomUUID } from "node:crypto";
import type { Scope } from "../src/database.ts";
import { saveAdapterVersion } from "../src/queries/register.ts";

/** A version of the workspace's one adapter. */
export async function createVersion(scope: Scope, digest: string) {
  const version = { id: randomUUID(), digest, objectPrefix: `adapters/${digest}`, rank: 8, sizeBytes: 1 };
  const lineage = {
    baseModel: "base",
    baseDigest: "b",
    datasetVersionId: randomUUID(),
    datasetDigest: "d",
    trainingRunId: randomUUID(),
    config: {},
  };
  return saveAdapterVersion(
    scope,
    { name: "support", baseModel: "base" },
    { ...version, lineage, metrics: {}, card: "" },
  );
}
