import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { choosePort } from "@anneal/processes/choose-port";
import { childEnv } from "./child-env.ts";
import { descriptorBytes, type Ace } from "./descriptor-bytes.ts";
import { findDebianProgram, type DebianProgram } from "./find-debian-program.ts";
import { testPython } from "./test-python.ts";

export type Samba = {
  port: number;
  share: string;
  user: string;
  password: string;
  /** The share's folder on disk. */
  root: string;
  /** Gives a file or folder that was made on disk to the server's account. */
  own(path: string): Promise<void>;
  /** The SID of an account of the server. */
  sidOf(account: string): string;
  /** Replaces the access list of a path of the share (with backslashes), through the server. */
  setAcl(path: string, aces: readonly Ace[]): Promise<void>;
  /** The SID of one of `sambaGroups`. */
  sidOfGroup(group: string): string;
  /** Replaces the members of one of `sambaGroups`, which are SIDs; returns its own. */
  setGroup(group: string, members: readonly string[]): string;
  /** Replaces whom the share as a whole admits: entries as sharesec takes them, such as "S-1-1-0:ALLOWED/0/FULL". */
  setShareAcl(entries: readonly string[]): void;
  /** Of the account that signs in; open sessions stay. */
  setPassword(password: string): void;
  /** @param account left out: the one that signs in */
  setDisabled(disabled: boolean, account?: string): void;
  stop(): Promise<void>;
};

/** An account of every Debian, whom smbd runs as and signs in. */
const service = { name: "daemon", id: 1 };
const password = "share-test-password";
/** Debian's own accounts and groups have to stand in for people's: smbd knows nobody whom the system does not. */
export const sambaPeople = { ann: "games", bob: "man", eve: "mail" } as const;
/** Made before anybody asks, because Samba answers from a list of groups that is some seconds old. */
const sambaGroups = { finance: "games", clerks: "man", auditors: "mail" } as const;

/**
 * Samba's paths are compiled in, so a fetched one is laid over /usr, for its own processes alone; that needs root.
 * @returns null where there is none to be had, with the reason printed
 */
export function findSamba(): DebianProgram | null {
  if (process.getuid?.() !== 0) return skip("they start smbd as another account, which needs root");
  const { python } = testPython;
  if (spawnSync(python, ["-c", "import smbprotocol"]).status !== 0) return skip(`${python} has no smbprotocol`);
  const program = findDebianProgram("samba", "usr/sbin/smbd", ["samba-vfs-modules"]);
  if (program === null || program.root === "") return program;
  const { status } = spawnSync("unshare", ["-m", "sh", "-c", overlay(program)]);
  return status === 0 ? program : skip("this system lets nobody lay Samba's files over /usr (overlay mount)");
}

export type SambaOptions = {
  /**
   * "posix": access lists are those that Samba makes of modes and owners on its disk, and they hold for whoever asks, as
   * smbd runs as root; who signs in for the connector is an administrator of the share. "ntfs": lists of their own, which
   * smbd keeps and only tells, as it runs as the account that signs in.
   */
  rights?: "ntfs" | "posix";
  /** Further lines of the share's section. */
  settings?: readonly string[];
};

function skip(reason: string): null {
  console.warn(`SMB tests are skipped: ${reason}.`);
  return null;
}

function overlay({ root }: DebianProgram): string {
  return root === "" ? "true" : `mount -t overlay overlay -o 'lowerdir=${root}/usr:/usr' /usr`;
}

export async function startSamba(
  program: DebianProgram,
  { rights = "ntfs", settings = [] }: SambaOptions = {},
): Promise<Samba> {
  const isRoot = rights === "posix";
  const base = await mkdtemp(join(tmpdir(), "anneal-samba-"));
  await chmod(base, 0o755);
  const port = await choosePort(undefined);
  const root = join(base, "root");
  for (const folder of ["", "root", "private", "lock", "state", "cache", "pid", "ncalrpc", "log"]) {
    await mkdir(join(base, folder), { recursive: true });
    if (!isRoot || folder === "root") await chown(join(base, folder), service.id, service.id);
  }
  const configPath = join(base, "smb.conf");
  await writeFile(configPath, smbConf(base, root, port, [...shareSettings[rights], ...settings]));

  const asService = (command: readonly string[]) => {
    const caps = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"];
    const who = ["--reuid", String(service.id), "--regid", String(service.id), "--clear-groups", ...caps];
    const script = `${overlay(program)} && exec ${isRoot ? "" : `setpriv ${who.join(" ")} -- `}"$@"`;
    return ["-m", "sh", "-c", script, "sh", ...command];
  };
  const run = (command: readonly string[], input = "") => {
    const { status, stdout, stderr } = spawnSync("unshare", asService(command), { input, encoding: "utf8" });
    if (status !== 0) throw new Error(`${command.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  const sids = new Map<string, string>();
  for (const account of [service.name, ...Object.values(sambaPeople)]) {
    const shown = run(["/usr/bin/pdbedit", "-s", configPath, "-a", "-t", "-u", account], `${password}\n${password}\n`);
    sids.set(account, /User SID:\s+(S-[\d-]+)/.exec(shown)?.[1] ?? "");
  }
  const sidOf = (account: string) => sids.get(account) ?? "";
  const net = (...args: string[]) => run(["/usr/bin/net", "-s", configPath, "groupmap", ...args]);
  for (const [group, unixGroup] of Object.entries(sambaGroups)) {
    net("add", `ntgroup=${group}`, `unixgroup=${unixGroup}`, "type=local");
  }
  const groupList = net("list");

  const smbd = spawn("unshare", asService(["/usr/sbin/smbd", "-F", "-s", configPath, "-l", join(base, "log")]), {
    stdio: "ignore",
  });
  const ended = once(smbd, "exit");
  const stop = async () => {
    writer?.stdin.end();
    if (writer) await once(writer, "exit");
    smbd.kill();
    await ended;
    // What smbd started on demand ends by itself after a while; it is not waited for.
    for (const file of await readdir(join(base, "pid"))) {
      const pid = Number.parseInt(await readFile(join(base, "pid", file), "utf8"), 10);
      if (Number.isInteger(pid)) spawnSync("kill", [String(pid)]);
    }
    await rm(base, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  let writer: ReturnType<typeof startWriter> | null = null;
  try {
    await untilAnswers(port);
    writer = startWriter(port);
  } catch (error) {
    await stop();
    throw error;
  }
  const answers = createInterface({ input: writer.stdout })[Symbol.asyncIterator]();
  const groups = new Map<string, readonly string[]>();
  const sidOfGroup = (group: string) => new RegExp(`${group} \\((S-[\\d-]+)\\)`).exec(groupList)?.[1] ?? "";

  return {
    port,
    share: "docs",
    user: service.name,
    password,
    root,
    own: (path) => chown(path, service.id, service.id),
    sidOf,
    async setAcl(path, aces) {
      const data = descriptorBytes(aces, sidOf(service.name)).toString("base64");
      writer.stdin.write(`${JSON.stringify({ path, data })}\n`);
      const { value } = await answers.next();
      const answer = JSON.parse(String(value)) as { ok: boolean; error?: string };
      if (!answer.ok) throw new Error(`access list of ${path}: ${answer.error}`);
    },
    setShareAcl(entries) {
      run(["/usr/bin/sharesec", "-s", configPath, "docs", "-R", entries.join(",")]);
    },
    setPassword(next) {
      run(["/usr/bin/pdbedit", "-s", configPath, "-a", "-t", "-u", service.name], `${next}\n${next}\n`);
    },
    setDisabled(disabled, account = service.name) {
      run(["/usr/bin/pdbedit", "-s", configPath, "-r", "-c", disabled ? "[D]" : "[]", "-u", account]);
    },
    sidOfGroup,
    setGroup(group, members) {
      const sid = sidOfGroup(group);
      const before = groups.get(group) ?? [];
      for (const member of members.filter((one) => !before.includes(one))) net("addmem", sid, member);
      for (const member of before.filter((one) => !members.includes(one))) net("delmem", sid, member);
      groups.set(group, members);
      return sid;
    },
    stop,
  };
}

const shareSettings = {
  ntfs: ["vfs objects = acl_tdb", "acl_tdb:ignore system acls = yes"],
  posix: [`admin users = ${service.name}`],
};

function smbConf(base: string, root: string, port: number, settings: readonly string[]): string {
  return `[global]
server role = standalone server
workgroup = ANNEAL
netbios name = FILES
interfaces = lo
bind interfaces only = yes
smb ports = ${port}
disable netbios = yes
private dir = ${base}/private
lock directory = ${base}/lock
state directory = ${base}/state
cache directory = ${base}/cache
pid directory = ${base}/pid
ncalrpc dir = ${base}/ncalrpc
log file = ${base}/log/smbd.log
passdb backend = tdbsam:${base}/private/passdb.tdb
server min protocol = SMB3
load printers = no
printcap name = /dev/null
disable spoolss = yes
map to guest = never
[docs]
path = ${root}
read only = no
${settings.join("\n")}
`;
}

function startWriter(port: number) {
  const writer = spawn(testPython.python, [fileURLToPath(new URL("./write_descriptors.py", import.meta.url))], {
    env: childEnv({ PATH: process.env.PATH, PYTHONPATH: testPython.pythonPath }),
    stdio: ["pipe", "pipe", "inherit"],
  });
  const target = { address: "127.0.0.1", host: "127.0.0.1", port, share: "docs", user: service.name, password };
  writer.stdin.write(`${JSON.stringify({ ...target, encrypt: true, timeout_s: 20 })}\n`);
  return writer;
}

async function untilAnswers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const socket = createConnection({ host: "127.0.0.1", port });
    try {
      await once(socket, "connect");
      return;
    } catch {
      await sleep(50);
    } finally {
      socket.destroy();
    }
  }
  throw new Error("smbd did not answer");
}
