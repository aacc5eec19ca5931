// `npm run anneal -- <command>`: installs what is missing, then runs the command line.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ensureBrowser,
  ensureModels,
  ensureNode,
  ensurePython,
  localNode,
  repoDir,
  runForeground,
  runScript,
} from "./bootstrap.mjs";

/** These ask a portal, which may run elsewhere. */
function isCaller([command, action]) {
  return command === "connect" || (command === "loop" && action === "cancel");
}

/** Whoever only asks what there is waits for no installation but that of what answers. */
function isHelp(args) {
  return args.length === 0 || args[0] === "help" || args.some((arg) => arg === "--help" || arg === "-h");
}

/** @returns the exit code of the command line */
export async function runAnneal(args) {
  const commandLine = [join(repoDir, "apps/cli/src/main.ts"), ...args];
  if (isHelp(args) || isCaller(args)) {
    await ensureNode({ needsPython: false });
    return runForeground(localNode, commandLine);
  }
  await ensureNode();
  const paths = await ensurePython();
  await ensureModels();
  // Only a crawl needs a browser, and it is no reason to refuse everything else.
  await ensureBrowser().catch((error) => console.error(`${error.message} Websites cannot be crawled until then.`));
  const env = { ...process.env, ANNEAL_PYTHON: paths.python };
  return runForeground(localNode, commandLine, env);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runScript(() => runAnneal(process.argv.slice(2)));
