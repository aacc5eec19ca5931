import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { choosePort } from "@anneal/processes/choose-port";
import { childEnv } from "./child-env.ts";
import { findDebianProgram, type DebianProgram } from "./find-debian-program.ts";

/** One folder of the server, and where it is mounted here. */
export type NfsExport = { onServer: string; mounted: string };

export type NfsServer = {
  /** Root comes as nobody, as servers have it by default. */
  squashed: NfsExport;
  /** Root stays root, as for a backup's machine. */
  trusting: NfsExport;
  /** Of a mounted path: what the client takes. */
  longestPathBytes: number;
  /** The server answers nothing any more, as one whose machine hangs; its connections stay. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
};

/** Whether a thread of the process is not stopped yet, as proc(5) says; of one that is gone none is. */
function runsStill(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
      // The name before it may hold anything.
      return stat.charAt(stat.lastIndexOf(")") + 2) !== "T";
    });
  } catch {
    return false;
  }
}

/** A server, and who speaks to it: the kernel, or a library behind a file system of our own (`mount_nfs.py`). */
export type NfsPrograms = { server: DebianProgram; client: "kernel" | DebianProgram };

/**
 * NFS-Ganesha, a server that runs as any program does, and libnfs where the kernel has no NFS client.
 * @returns null where they are not to be had, with the reason printed
 */
export function findNfs(): NfsPrograms | null {
  if (process.getuid?.() !== 0 || spawnSync("unshare", ["-m", "true"]).status !== 0) {
    return skip("mounting needs root, and a system that lets it");
  }
  const server = findDebianProgram("nfs-ganesha", "usr/bin/ganesha.nfsd", ["nfs-ganesha-vfs"]);
  if (server === null) return null;
  if (knows("nfs4") || spawnSync("modprobe", ["nfsv4"]).status === 0) return { server, client: "kernel" };
  if (!knows("fuse") || !existsSync("/dev/fuse"))
    return skip("this system's kernel has no NFS client, and no FUSE for another");
  const client = findDebianProgram("libnfs13", `${libraries}/libnfs.so.13`, ["python3-fusepy", "libfuse2"]);
  return client === null ? null : { server, client };
}

const libraries = "usr/lib/x86_64-linux-gnu";

function knows(fileSystem: string): boolean {
  return readFileSync("/proc/filesystems", "utf8").split(/\s+/).includes(fileSystem);
}

function skip(reason: string): null {
  console.warn(`Tests of NFS mounts are skipped: ${reason}.`);
  return null;
}

export async function startNfs({ server: program, client }: NfsPrograms): Promise<NfsServer> {
  const base = await mkdtemp(join(tmpdir(), "anneal-nfs-"));
  await chmod(base, 0o755);
  const port = await choosePort(undefined);
  const squashed = { onServer: join(base, "squashed"), mounted: join(base, "mounted-squashed") };
  const trusting = { onServer: join(base, "trusting"), mounted: join(base, "mounted-trusting") };
  for (const folder of [...Object.values(squashed), ...Object.values(trusting), join(base, "recovery")]) {
    await mkdir(folder);
  }
  const configPath = join(base, "ganesha.conf");
  const logPath = join(base, "ganesha.log");
  const exports = [
    exportBlock(1, squashed.onServer, "Root_Squash"),
    exportBlock(2, trusting.onServer, "No_Root_Squash"),
  ];
  await writeFile(configPath, ganeshaConf(base, port, program) + exports.join(""));

  const args = ["-F", "-f", configPath, "-L", logPath, "-N", "NIV_WARN", "-p", join(base, "ganesha.pid")];
  const ownLibraries = [program.env.LD_LIBRARY_PATH, join(program.root, "usr/lib/ganesha")].join(":");
  const server = spawn(program.path, args, {
    env: childEnv({ PATH: process.env.PATH, ...(program.root === "" ? {} : { LD_LIBRARY_PATH: ownLibraries }) }),
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  const isRunning = () => server.exitCode === null;
  const pause = () => {
    server.kill("SIGSTOP");
    // On a busy machine a thread may go on for a moment, and answer.
    while (runsStill(server.pid!));
  };
  const resume = () => void server.kill("SIGCONT");
  const unmounts: (() => Promise<void>)[] = [];
  const stop = async () => {
    // One that stands still would neither let go of its mounts nor end.
    resume();
    for (const unmount of unmounts) await unmount();
    server.kill();
    await ended;
    await rm(base, { recursive: true, force: true });
  };
  try {
    for (const where of [squashed, trusting]) {
      const mount = client === "kernel" ? mountByKernel(port, where) : mountByLibrary(client, port, where);
      unmounts.push(mount.unmount);
      await untilMounted(mount.attempt, where.mounted, isRunning);
    }
    // libnfs asks for a path in one message of little more than 4 KiB, in which each folder takes more than its name.
    return { squashed, trusting, longestPathBytes: client === "kernel" ? 4095 : 3700, pause, resume, stop };
  } catch (error) {
    const log = await readFile(logPath, "utf8").catch(() => "");
    await stop();
    throw new Error(`nfs-ganesha: ${String(error)}\n${log.slice(-2000)}`, { cause: error });
  }
}

/** `attempt` may come too early, before the server answers, and is then made again; it says what went wrong. */
type Mount = { attempt(): Promise<string>; unmount(): Promise<void> };

async function untilMounted(attempt: Mount["attempt"], mounted: string, isRunning: () => boolean): Promise<void> {
  let said = "the server ended";
  for (let tries = 0; tries < 50 && isRunning(); tries += 1) {
    said = await attempt();
    if (isMounted(mounted)) return;
    await sleep(100);
  }
  throw new Error(`"${mounted}" was not mounted: ${said}`);
}

function isMounted(path: string): boolean {
  return readFileSync("/proc/mounts", "utf8").includes(` ${path} `);
}

/** What changes at the server shows here at once: nothing is remembered of names and attributes. */
function mountByKernel(port: number, { onServer, mounted }: NfsExport): Mount {
  const place = ["vers=4.2", "proto=tcp", `port=${port}`, "addr=127.0.0.1", "clientaddr=127.0.0.1"];
  const options = [...place, "soft", "timeo=50", "noac", "lookupcache=none"].join(",");
  return {
    async attempt() {
      // -i: the options are the kernel's own, so that no helper is needed.
      const command = ["-i", "-t", "nfs4", "-o", options, `127.0.0.1:${onServer}`, mounted];
      return spawnSync("mount", command, { encoding: "utf8", timeout: 20_000 }).stderr;
    },
    unmount: async () => void spawnSync("umount", ["-f", "-l", mounted]),
  };
}

function mountByLibrary({ path, root, env }: DebianProgram, port: number, { onServer, mounted }: NfsExport): Mount {
  const script = fileURLToPath(new URL("./mount_nfs.py", import.meta.url));
  const fetched = {
    ...env,
    PYTHONPATH: join(root, "usr/lib/python3/dist-packages"),
    FUSE_LIBRARY_PATH: join(root, "lib/x86_64-linux-gnu/libfuse.so.2"),
  };
  let child: ChildProcess | null = null;
  return {
    async attempt() {
      // The system's Python, whose packages fusepy is one of.
      child = spawn("/usr/bin/python3", [script, path, String(port), onServer, mounted], {
        env: childEnv({ PATH: process.env.PATH, ...(root === "" ? {} : fetched) }),
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr?.setEncoding("utf8").on("data", (text: string) => (said += text));
      for (let tries = 0; tries < 50 && child.exitCode === null && !isMounted(mounted); tries += 1) await sleep(100);
      return said;
    },
    async unmount() {
      spawnSync("umount", ["-l", mounted]);
      if (child === null || child.exitCode !== null) return;
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

function ganeshaConf(base: string, port: number, { root }: DebianProgram): string {
  const plugins = root === "" ? "" : `Plugins_Dir = "${join(root, libraries, "ganesha")}";`;
  return `NFS_CORE_PARAM {
  NFS_Protocols = 4;
  NFS_Port = ${port};
  Bind_addr = 127.0.0.1;
  Enable_NLM = false;
  Enable_RQUOTA = false;
  Enable_UDP = false;
  ${plugins}
}
NFSV4 {
  Graceless = true;
  RecoveryBackend = fs;
  RecoveryRoot = "${base}/recovery";
  Only_Numeric_Owners = true;
  UseGetpwnam = true;
  DomainName = "localdomain";
}
`;
}

function exportBlock(id: number, path: string, squash: string): string {
  return `EXPORT {
  Export_Id = ${id};
  Path = "${path}";
  Pseudo = "${path}";
  Access_Type = RW;
  Squash = ${squash};
  Protocols = 4;
  Transports = TCP;
  SecType = sys;
  Attr_Expiration_Time = 0;
  FSAL { Name = VFS; }
}
`;
}
