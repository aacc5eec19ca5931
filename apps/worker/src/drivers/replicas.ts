import { AnnealError } from "@anneal/core/errors";
import type { Database } from "@anneal/db/database";
import { removeResidency, type Replica } from "@anneal/db/queries/serving";
import { createInferenceClient, type InferenceClient } from "@anneal/engines/inference-client";
import type { ObjectStore } from "@anneal/objects/object-store";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

export type ReplicaDriver = {
  client(url: string): InferenceClient;
  load(replica: Replica, servingName: string, objectPrefix: string): Promise<void>;
  /** Answers with what the model said. */
  probe(replica: Replica, servingName: string, signal: AbortSignal): Promise<string>;
  /** Confirms that the engine no longer lists the adapter, then forgets it. Leaves one that is wanted again. */
  unload(replica: Replica, servingName: string): Promise<void>;
};

/**
 * vLLM replicas reached by URL. Adapters are handed over as folders, so `adapterDir` must be one that the engines see
 * under the same path: this machine's disk, or a shared volume.
 */
export function createReplicaDriver(deps: {
  db: Database;
  objects: ObjectStore;
  adapterDir: string;
  apiKey: string | undefined;
}): ReplicaDriver {
  const clients = new Map<string, InferenceClient>();
  const client = (url: string) => {
    const known = clients.get(url) ?? createInferenceClient({ url, apiKey: deps.apiKey });
    clients.set(url, known);
    return known;
  };

  /** The adapter's files as a folder; written once, since a prefix never changes its content. */
  async function materialise(servingName: string, objectPrefix: string): Promise<string> {
    const path = join(deps.adapterDir, servingName);
    if (await stat(path).catch(() => null)) return path;
    const partial = `${path}.${process.pid}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true });
    for await (const key of deps.objects.list(objectPrefix)) {
      await writeFile(join(partial, key.slice(objectPrefix.length + 1)), await deps.objects.get(key));
    }
    await rename(partial, path).catch(async (error: unknown) => {
      // Another load of the same adapter was faster; its files are the same.
      await rm(partial, { recursive: true, force: true });
      if (!(await stat(path).catch(() => null))) throw error;
    });
    return path;
  }

  return {
    client,
    async load(replica, servingName, objectPrefix) {
      await client(replica.url).loadAdapter(servingName, await materialise(servingName, objectPrefix));
    },
    async probe(replica, servingName, signal) {
      const { text, completionTokens } = await client(replica.url).complete({
        model: servingName,
        // A prompt of one token and one token more prove it: the pass goes through every layer of the adapter, and is the
        // shortest there is. A chat template alone would be some thirty tokens.
        prompt: "Hello",
        maxTokens: 1,
        temperature: 0,
        // Before what waits: a swap under load is not to stand in the queue that it is to relieve.
        ...(replica.servingProfile?.order === "late-last" ? { priority: -1 } : {}),
        signal,
      });
      if (completionTokens === 0) {
        throw new AnnealError("DEPLOYMENT_FAILED", `${servingName} answered a test question with nothing.`, {
          action: "Look at the adapter's evaluation; its training may have failed.",
        });
      }
      return text;
    },
    async unload(replica, servingName) {
      const engine = client(replica.url);
      await removeResidency(deps.db, replica.id, servingName, async () => {
        await engine.unloadAdapter(servingName);
        if ((await engine.listModels()).some((model) => model.id === servingName)) {
          throw new AnnealError("DEPLOYMENT_FAILED", `The engine still lists ${servingName} after unloading it.`, {
            action: "It is tried again; restart the engine if it stays.",
            retryable: true,
          });
        }
      });
    },
  };
}
