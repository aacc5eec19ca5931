import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
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
  stop(): Promise<void>;
};

/**
 * NFS-Ganesha, a server that runs as any program does. What it serves is mounted by the kernel, which must know NFS.
 * @returns null where either is not to be had, with the reason printed
 */
export function findNfs(): DebianProgram | null {
  if (process.getuid?.() !== 0) return skip("mounting needs root");
  if (!/\bnfs4\b/.test(readFileSync("/proc/filesystems", "utf8")) && spawnSync("modprobe", ["nfsv4"]).status !== 0) {
    return skip("this system's kernel has no NFS client");
  }
  return findDebianProgram("nfs-ganesha", "usr/bin/ganesha.nfsd", ["nfs-ganesha-vfs"]);
}

function skip(reason: string): null {
  console.warn(`Tests of NFS mounts are skipped: ${reason}.`);
  return null;
}

export async function startNfs(program: DebianProgram): Promise<NfsServer> {
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
  const libraries = [program.env.LD_LIBRARY_PATH, join(program.root, "usr/lib/ganesha")].join(":");
  const server = spawn(program.path, args, {
    env: childEnv({ PATH: process.env.PATH, ...(program.root === "" ? {} : { LD_LIBRARY_PATH: libraries }) }),
    stdio: "ignore",
  });
  const ended = once(server, "exit");
  const mounts: string[] = [];
  const stop = async () => {
    for (const mounted of mounts) spawnSync("umount", ["-f", "-l", mounted]);
    server.kill();
    await ended;
    await rm(base, { recursive: true, force: true });
  };
  try {
    for (const { onServer, mounted } of [squashed, trusting]) {
      await mount(port, onServer, mounted, () => server.exitCode === null);
      mounts.push(mounted);
    }
    return { squashed, trusting, stop };
  } catch (error) {
    const log = await readFile(logPath, "utf8").catch(() => "");
    await stop();
    throw new Error(`nfs-ganesha: ${String(error)}\n${log.slice(-2000)}`, { cause: error });
  }
}

/** Until the server answers. What changes there shows here at once: nothing is remembered of names and attributes. */
async function mount(port: number, onServer: string, mounted: string, isRunning: () => boolean): Promise<void> {
  const options = [
    "vers=4.2",
    "proto=tcp",
    `port=${port}`,
    "addr=127.0.0.1",
    "clientaddr=127.0.0.1",
    "soft",
    "timeo=50",
  ];
  const fresh = ["noac", "lookupcache=none"];
  let said = "";
  for (let attempt = 0; attempt < 100 && isRunning(); attempt += 1) {
    // -i: the options are the kernel's own, so that no helper is needed.
    const command = ["-i", "-t", "nfs4", "-o", [...options, ...fresh].join(","), `127.0.0.1:${onServer}`, mounted];
    const { status, stderr } = spawnSync("mount", command, { encoding: "utf8", timeout: 20_000 });
    if (status === 0) return;
    said = stderr;
    await sleep(100);
  }
  throw new Error(`"${onServer}" was not mounted: ${said}`);
}

function ganeshaConf(base: string, port: number, { root }: DebianProgram): string {
  const plugins = root === "" ? "" : `Plugins_Dir = "${root}/usr/lib/x86_64-linux-gnu/ganesha";`;
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
  FSAL { Name = VFS; }
}
`;
}
