import type { Service } from "./progress.ts";
import { type SidecarOptions, startSidecar } from "./start-sidecar.ts";

/** Qdrant Edge behind the part of Qdrant's REST API that we use. */
export function startVectors(options: SidecarOptions): Promise<Service> {
  return startSidecar("vectors", { ...options, args: ["--dir", options.dir] });
}
