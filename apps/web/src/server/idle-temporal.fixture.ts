import { join } from "node:path";
import type { TestDatabase } from "@anneal/db/testing/start-test-database";
import { locatePython } from "@anneal/local-stack/python-env";
import { startTemporal } from "@anneal/local-stack/start-temporal";
import { choosePort } from "@anneal/processes/choose-port";
import { vi } from "vitest";
import { temporal } from "#server/temporal.ts";

/** A Temporal on which no worker takes the work, so that what was asked for stays to be seen; the portal is told of it. */
export async function startIdleTemporal(test: TestDatabase): Promise<{ stop(): Promise<void> }> {
  const port = await choosePort(undefined);
  const server = await startTemporal({
    env: process.env,
    binary: locatePython(process.env).temporal,
    dir: join(test.dir, "temporal"),
    logFile: join(test.dir, "temporal.log"),
    port,
    httpPort: await choosePort(undefined, new Set([port])),
    namespace: "default",
  });
  vi.stubEnv("ANNEAL_DATABASE_URL", test.appUrl);
  vi.stubEnv("ANNEAL_TEMPORAL_ADDRESS", server.url);
  vi.stubEnv("NEXTAUTH_SECRET", "s".repeat(32));
  return {
    async stop() {
      await (await temporal()).connection.close();
      vi.unstubAllEnvs();
      await server.stop();
    },
  };
}
