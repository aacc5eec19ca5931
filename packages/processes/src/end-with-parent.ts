import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { noEnv } from "./no-env.ts";

let probed: readonly string[] | undefined;

/**
 * A command line made to end with this process, also when that is killed and can end nothing itself: by Linux's signal of
 * a parent's death, which goes to what this very process starts, not to what that starts in turn. It belongs to the thread
 * that starts the program, and dies with that.
 *
 * @returns the command line as it was where there is no `setpriv` that can do it; the program then ends when it next looks
 *   at its input
 */
export function endWithParent(command: string, args: readonly string[]): [command: string, args: string[]] {
  probed ??= probe();
  const [first, ...rest] = [...probed, command, ...args];
  return [first!, rest];
}

function probe(): readonly string[] {
  const setpriv = ["/usr/bin/setpriv", "/bin/setpriv"].find((path) => existsSync(path));
  if (setpriv === undefined) return [];
  const prefix = [setpriv, "--pdeathsig", "KILL", "--"];
  // That of busybox has the name alone.
  const { status } = spawnSync(setpriv, [...prefix.slice(1), "/bin/sh", "-c", ":"], { env: noEnv, stdio: "ignore" });
  return status === 0 ? prefix : [];
}
