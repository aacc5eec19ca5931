import type { Service } from "./progress.ts";
import { type SidecarOptions, startSidecar } from "./start-sidecar.ts";

/** all-MiniLM-L6-v2 behind `/v1/embeddings`; `url` ends in /v1. */
export async function startEmbeddings(options: SidecarOptions): Promise<Service> {
  const service = await startSidecar("embeddings", { ...options, args: ["--model", "packaged"] });
  return {
    name: "embeddings",
    url: `${service.url}/v1`,
    get pid() {
      return service.pid;
    },
    stop: () => service.stop(),
  };
}
