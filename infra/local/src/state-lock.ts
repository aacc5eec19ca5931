import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { identifyProcess, isAlive, type ProcessIdentity } from "./process-table.ts";

const identitySchema = z.object({ pid: z.int().positive(), startTicks: z.string() });
const lockSchema = z.object({
  holder: identitySchema,
  portalUrl: z.string().optional(),
  children: z.array(identitySchema),
});
type LockContent = z.infer<typeof lockSchema>;

export type StateLock = {
  /** So that a second start can say where the first one's portal is. */
  setPortalUrl(url: string): Promise<void>;
  /** Remembers the leader of a child's process group: the next start ends it if we are killed and it lives on. */
  recordChild(identity: ProcessIdentity): void;
  release(): Promise<void>;
};

/**
 * One stack per state folder. The lock of a stack that was killed is taken over, after its leftover processes are ended.
 * @throws AnnealError ALREADY_RUNNING, naming the process and the portal's address
 */
export async function lockState(stateDir: string): Promise<StateLock> {
  await mkdir(stateDir, { recursive: true });
  const file = join(stateDir, "stack.lock");
  const holder = identifyProcess(process.pid);
  if (!holder) throw new Error("This process is not in /proc.");
  let content: LockContent = { holder, children: [] };
  await acquire(file, content);

  // Writes follow each other, so that an older state never overwrites a newer one.
  let writing: Promise<void> = Promise.resolve();
  const save = (next: LockContent): Promise<void> => {
    content = next;
    writing = writing.catch(() => {}).then(() => replaceFile(file, JSON.stringify(next)));
    return writing;
  };
  return {
    setPortalUrl: (portalUrl) => save({ ...content, portalUrl }),
    recordChild(identity) {
      // Ended ones are dropped here: a service that restarts for ever must not make the list grow for ever.
      save({ ...content, children: [...content.children.filter(isAlive), identity] }).catch(() => {});
    },
    async release() {
      await writing.catch(() => {});
      await rm(file, { force: true });
    },
  };
}

async function acquire(file: string, content: LockContent): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      const handle = await open(file, "wx");
      await handle.writeFile(JSON.stringify(content));
      await handle.close();
      return;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const other = await readLock(file);
    if (other && isAlive(other.holder)) {
      throw new AnnealError(
        "ALREADY_RUNNING",
        `Anneal is already running on this state folder (process ${other.holder.pid}).`,
        {
          action: `${other.portalUrl ? `Open ${other.portalUrl}, or stop` : "Stop"} it with Ctrl-C or \`kill ${other.holder.pid}\`, or choose another ANNEAL_STATE_DIR.`,
          details: {
            pid: other.holder.pid,
            ...(other.portalUrl ? { portalUrl: other.portalUrl } : {}),
          },
        },
      );
    }
    // An unreadable lock is one that is being written this moment, or a torn one: the former resolves itself soon.
    if (!other && attempt < 5) {
      await sleep(100);
      continue;
    }
    await Promise.all((other?.children ?? []).map(endLeftover));
    await rm(file, { force: true });
  }
  throw new Error(`The lock ${file} cannot be taken.`);
}

async function readLock(file: string): Promise<LockContent | undefined> {
  try {
    return lockSchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return undefined;
  }
}

/** The guard of a dead stack ends its service by itself (guard.sh); this waits for it, and insists after a while. */
async function endLeftover(identity: ProcessIdentity): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (isAlive(identity) && Date.now() < deadline) await sleep(100);
  if (!isAlive(identity)) return;
  try {
    process.kill(-identity.pid, "SIGKILL");
  } catch {
    // It ended in this moment.
  }
}

/** Readers see the old content or the new one, never half of it. */
export async function replaceFile(file: string, text: string, mode = 0o644): Promise<void> {
  const half = `${file}.tmp`;
  await writeFile(half, text, { mode });
  await rename(half, file);
}

/** Where the portal of the stack that holds this state folder is; null when none runs. */
export async function findRunningPortal(stateDir: string): Promise<string | null> {
  const lock = await readLock(join(stateDir, "stack.lock"));
  return lock && isAlive(lock.holder) ? (lock.portalUrl ?? null) : null;
}
