import { AnnealError } from "@anneal/core/errors";
import { migrateDatabase } from "@anneal/db/migrate";
import type { Progress } from "@anneal/local-stack/progress";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import { stateDirOf, type Env } from "./env.ts";
import { createPortalClient, type PortalClient } from "./portal/client.ts";
import { seedWorkspace, type AccessFile } from "./seed.ts";

export type RunningStack = { stack: Stack; access: AccessFile; portal: PortalClient };

/** Everything up to a usable portal: engines, schema, administrator, worker, web. The engine may still be loading. */
export async function runStack(
  env: Env,
  onProgress: (progress: Progress) => void,
  signal: AbortSignal,
): Promise<RunningStack> {
  const stateDir = stateDirOf(env);
  let stack: Stack | undefined;
  try {
    stack = await startStack({ stateDir, env, onProgress, signal });
    const { ANNEAL_DATABASE_URL: databaseUrl = "" } = stack.env;
    const appRole = decodeURIComponent(new URL(databaseUrl).username);
    const ownRole = decodeURIComponent(new URL(stack.databaseOwnerUrl).username);
    await migrateDatabase(stack.databaseOwnerUrl, appRole === ownRole ? undefined : appRole);
    const access = await seedWorkspace(databaseUrl, stateDir);
    await Promise.all([stack.startWorker(), stack.startWeb()]);
    const portal = createPortalClient({ url: stack.portalUrl, workspace: access.workspace, apiKey: access.apiKey });
    return { stack, access, portal };
  } catch (error) {
    await stack?.stop();
    // Ctrl-C in a terminal also reaches what a start runs, whose last words are then no failure.
    if (!signal.aborted) throw error;
    throw new AnnealError("CANCELLED", "The start was stopped; everything that it had started is ended.", {
      action: "Start it again when you want to.",
      cause: error,
    });
  }
}

/** One line per service and state, for a terminal or a log. */
export function printProgress({ service, state, seconds, note }: Progress): void {
  if (state === "starting") {
    if (note) console.log(`… ${service.padEnd(11)} ${note}`);
    return;
  }
  const mark = state === "ready" ? "✓" : "✗";
  console.log(`${mark} ${service.padEnd(11)} ${state} after ${seconds.toFixed(1)} s${note ? `: ${note}` : ""}`);
}

/** Aborted by the first Ctrl-C or termination; a second one does not cut the ending short. */
export function abortOnSignal(onStop: () => void): AbortSignal {
  const controller = new AbortController();
  const handle = () => {
    if (controller.signal.aborted) return;
    onStop();
    controller.abort();
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  return controller.signal;
}
