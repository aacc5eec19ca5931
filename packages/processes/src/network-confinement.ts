import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { noEnv } from "./no-env.ts";

/** What a program is started with so that it has no network: the command and its arguments before the program's own. */
export type NetworkConfinement = { command: string; args: string[] };

let probed: NetworkConfinement | null | undefined;

/**
 * Linux's network namespaces: a new one holds nothing, not even a loopback that is up. Whether one may have them without
 * being root is the system's choice (containers and some distributions forbid it), so it is tried once.
 *
 * @returns null where there are none
 */
export function findNetworkConfinement(): NetworkConfinement | null {
  if (probed === undefined) probed = probe();
  return probed;
}

function probe(): NetworkConfinement | null {
  const command = ["/usr/bin/unshare", "/bin/unshare"].find((path) => existsSync(path));
  if (command === undefined) return null;
  const args = ["--user", "--net", "--"];
  const { status } = spawnSync(command, [...args, process.execPath, "--version"], { env: noEnv, stdio: "ignore" });
  return status === 0 ? { command, args } : null;
}
