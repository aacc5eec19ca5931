import { trainerEventSchema, type TrainerEvent } from "@anneal/core/train/trainer-events";
import { spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

/**
 * The trainer as a process on this machine. A worker that was killed leaves its trainer behind; the next attempt finds
 * it by the pid file, ends it, and resumes from the newest checkpoint, so that two never write to one folder.
 */
export type TrainerProcess = {
  events: AsyncIterable<TrainerEvent>;
  /** Asks it to save a checkpoint and end. */
  stop(): void;
  exited: Promise<number | null>;
};

const pidFile = "trainer.pid";

/** When the process started, in clock ticks since boot (proc(5), field 22): tells a process from a later one of its pid. */
async function startTicks(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  return stat === null ? null : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null);
}

export async function endLeftoverTrainer(directory: string): Promise<void> {
  const recorded = await readFile(join(directory, pidFile), "utf8").catch(() => null);
  if (recorded === null) return;
  const [pid, ticks] = recorded.split(" ");
  const isSame = async () => (await startTicks(Number(pid))) === ticks;
  if (await isSame()) {
    process.kill(Number(pid), "SIGKILL");
    while (await isSame()) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await rm(join(directory, pidFile), { force: true });
}

export async function startTrainer(options: {
  python: string;
  pythonPath: string | undefined;
  directory: string;
  configPath: string;
  /** The GPUs that it was given, as CUDA calls them; empty: it sees none and computes on the CPU. */
  devices: readonly string[];
}): Promise<TrainerProcess> {
  const { python, pythonPath, directory, configPath, devices } = options;
  await endLeftoverTrainer(directory);
  // Only what it needs: the trainer runs code of model repositories' formats and must not see our secrets.
  // Whoever waits for an answer comes first: an engine on the same cores has 5.
  const child = spawn("nice", ["-n", "10", python, "-m", "trainer", "--config", configPath], {
    cwd: directory,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      ...(pythonPath ? { PYTHONPATH: pythonPath } : {}),
      HF_HUB_OFFLINE: "1",
      PYTHONUNBUFFERED: "1",
      TOKENIZERS_PARALLELISM: "false",
      CUDA_VISIBLE_DEVICES: devices.join(","),
    },
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code));
  });
  // The events end with the process; a failed start shows when they are read.
  exited.catch(() => undefined);
  if (child.pid !== undefined) {
    await writeFile(join(directory, pidFile), `${child.pid} ${(await startTicks(child.pid)) ?? ""}`);
  }
  child.stderr.pipe(createWriteStream(join(directory, "stderr.log"), { flags: "a" }));
  async function* events(): AsyncGenerator<TrainerEvent> {
    for await (const line of createInterface({ input: child.stdout })) {
      const parsed = trainerEventSchema.safeParse(safeJson(line));
      if (parsed.success) yield parsed.data;
    }
    await exited;
    await rm(join(directory, pidFile), { force: true });
  }
  return { events: events(), stop: () => child.kill("SIGTERM"), exited };
}

/** Libraries print to stdout as well; what is not JSON is not an event. */
function safeJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
