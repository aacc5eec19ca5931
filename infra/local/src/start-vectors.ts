import type { Service } from "./progress.ts";
import { type SidecarOptions, startSidecar } from "./start-sidecar.ts";

const keyVariable = "ANNEAL_QDRANT_API_KEY";

/** Qdrant Edge behind the part of Qdrant's REST API that we use. Asks every request for `apiKey`. */
export function startVectors({ apiKey, ...options }: SidecarOptions & { apiKey: string }): Promise<Service> {
  return startSidecar("vectors", {
    ...options,
    // By a variable: command lines can be read by every process of the machine.
    env: { ...options.env, [keyVariable]: apiKey },
    args: ["--dir", options.dir, "--api-key-env", keyVariable],
  });
}
