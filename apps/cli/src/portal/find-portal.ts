import { AnnealError } from "@anneal/core/errors";
import { findRunningPortal } from "@anneal/local-stack/state-lock";
import type { Command } from "commander";
import { readAccessFile } from "../access-file.ts";
import { stateDirOf, type Env } from "../env.ts";
import { createPortalClient, type PortalClient } from "./client.ts";

export type PortalOptions = { portal?: string; apiKey?: string; workspace: string };

/** What every command that speaks to a portal takes. */
export function addPortalOptions(command: Command, env: Env): Command {
  return command
    .option("--portal <url>", "a portal elsewhere")
    .option("--api-key <key>", "its API key", env["ANNEAL_API_KEY"])
    .option("--workspace <slug>", "workspace of that portal", "default");
}

/** The portal that was named, or the one that runs from this folder's state; null when there is none. */
export async function findPortal(env: Env, options: PortalOptions): Promise<PortalClient | null> {
  if (options.portal !== undefined) {
    if (options.apiKey === undefined) {
      throw new AnnealError("UNAUTHENTICATED", "The portal was named without an API key.", {
        action: "Pass --api-key, or set ANNEAL_API_KEY.",
      });
    }
    return createPortalClient({ url: options.portal, workspace: options.workspace, apiKey: options.apiKey });
  }
  const stateDir = stateDirOf(env);
  const [url, access] = await Promise.all([findRunningPortal(stateDir), readAccessFile(stateDir)]);
  return url === null || access === null
    ? null
    : createPortalClient({ url, workspace: access.workspace, apiKey: access.apiKey });
}

/** @throws AnnealError ENGINE_UNAVAILABLE where no portal runs */
export async function requirePortal(env: Env, options: PortalOptions): Promise<PortalClient> {
  const portal = await findPortal(env, options);
  if (portal !== null) return portal;
  throw new AnnealError("ENGINE_UNAVAILABLE", "No portal runs from this folder.", {
    action: "Start it with `npm start`, or pass --portal and --api-key of one that runs.",
  });
}
