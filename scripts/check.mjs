// `npm run check`: every guard of the house, by name. `npm run check -- types` runs one.
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ensureNode, ensurePython, repoDir, runScript } from "./bootstrap.mjs";
import { runCommand } from "./run-command.mjs";

/** Each row is one check. `needs` is a path without which there is nothing to check yet. */
export const checks = [
  // One program: what several packages use, a vendor's library of types above all, is read and checked once.
  { name: "types", command: ["tsc", "--noEmit", "--project", "."] },
  // The portal is for browsers, and its pages are checked by other rules.
  { name: "types: portal", command: ["tsc", "--noEmit", "--project", "apps/web"] },
  { name: "lint", command: ["oxlint", "--deny-warnings"] },
  { name: "format", command: ["oxfmt", "--check", "."] },
  { name: "boundaries", command: ["turbo", "boundaries"] },
  { name: "unused code", command: ["knip"] },
  { name: "workspaces", command: ["sherif"] },
  {
    name: "workflow determinism",
    command: ["node", "apps/worker/src/check-determinism.ts"],
    needs: "apps/worker/src/check-determinism.ts",
  },
  { name: "python lint: trainer", command: ["python", "-m", "ruff", "check", "apps/trainer"] },
  { name: "python lint: sidecars", command: ["python", "-m", "ruff", "check", "apps/sidecars"] },
  { name: "python lint: installer", command: ["python", "-m", "ruff", "check", "infra/python"] },
];

/** Runs one check and shows its output when it fails. */
export async function runCheck(check, python) {
  const [program, ...args] = check.command;
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  const { code, output, seconds } = await runCommand(program === "python" ? python : program, args, {
    quiet: true,
    env,
  });
  console.log(`${code === 0 ? "✓" : "✗"} ${check.name}  ${seconds.toFixed(1)} s`);
  if (code !== 0) console.log(output.trimEnd());
  return code === 0;
}

export function listChecks(names = []) {
  return checks.filter(({ name, needs }) => {
    if (needs && !existsSync(join(repoDir, needs))) return false;
    return names.length === 0 || names.includes(name);
  });
}

async function main() {
  await ensureNode();
  const { python } = await ensurePython();
  const wanted = process.argv.slice(2);
  const selected = listChecks(wanted);
  if (selected.length === 0) {
    console.error(`There is no such check. The checks are: ${checks.map(({ name }) => name).join(", ")}.`);
    return 1;
  }
  let failed = 0;
  for (const check of selected) if (!(await runCheck(check, python))) failed += 1;
  console.log(`${selected.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runScript(main);
