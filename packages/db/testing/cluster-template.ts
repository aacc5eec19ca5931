import { mkdir, mkdtemp, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const variable = "ANNEAL_TEST_CLUSTER";
/** A little less than a hook may take. */
const makingMs = 150_000;

/** For vitest's `globalSetup`: a folder for all files of one run, gone with it. */
export default async function setUp(): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-test-cluster-"));
  process.env[variable] = join(dir, "postgres");
  return () => rm(dir, { recursive: true, force: true });
}

/**
 * A PostgreSQL cluster to copy, made by whoever needs it first: making one and migrating it takes four seconds of a core, and
 * dozens of files want theirs.
 *
 * @param make leaves a cluster at the path that it is given, with nothing running in it
 * @returns null outside of such a run
 */
export async function clusterTemplate(make: (path: string) => Promise<void>): Promise<string | null> {
  const path = process.env[variable];
  if (path === undefined) return null;
  const lock = `${path}.lock`;
  for (const until = Date.now() + makingMs; !(await exists(path)); await sleep(50)) {
    if (!(await isFirst(lock))) {
      if (Date.now() > until) throw new Error(`Nobody finished ${path}.`);
      continue;
    }
    try {
      await make(`${path}.new`);
      await rename(`${path}.new`, path);
    } catch (error) {
      await rm(`${path}.new`, { recursive: true, force: true });
      await rm(lock, { recursive: true });
      throw error;
    }
  }
  return path;
}

async function isFirst(lock: string): Promise<boolean> {
  return mkdir(lock).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "EEXIST") return false;
      throw error;
    },
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
