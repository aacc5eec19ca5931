import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";
import { childEnv } from "./child-env.ts";
import { findDebianProgram, type DebianProgram } from "./find-debian-program.ts";

export type Sshd = {
  port: number;
  /** The one account that an sshd without root's rights can let in: its own. */
  user: string;
  privateKey: string;
  /** SHA256:… */
  hostKey: string;
  /** Takes the account's key out of those that let it in; returns how to put it back. Open sessions stay. */
  removeKey(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
};

/** @returns null where there is none to be had, with the reason printed */
export function findSshd(): DebianProgram | null {
  return findDebianProgram("openssh-server", "usr/sbin/sshd");
}

/** A list of passwords of its own needs a mount that nobody else sees. */
export function maySetPassword(): boolean {
  if (process.getuid?.() === 0 && spawnSync("unshare", ["-m", "true"]).status === 0) return true;
  console.warn("Signing in to sshd by password is not tested: this account may not make mounts of its own.");
  return false;
}

/** Debian gives it this number on every system. systemd says of "nobody" that it is locked. */
const otherUser = { name: "daemon", id: 1 };

/**
 * OpenSSH's server on a port of its own, without root's rights. Started by root it runs as somebody else: as one
 * who may read every file, like a backup's account, where `readsAll`; `password` is then the account's, in a list of
 * passwords that only this sshd sees.
 */
export async function startSshd(
  program: DebianProgram,
  options: { readsAll?: boolean; password?: string } = {},
): Promise<Sshd> {
  const dir = await mkdtemp(join(tmpdir(), "anneal-sshd-"));
  const asOther = process.getuid?.() === 0;
  const port = await choosePort(undefined);
  const hostKeyPath = createKey(dir, "host");
  const userKeyPath = createKey(dir, "user");
  const configPath = join(dir, "sshd_config");
  await writeFile(
    configPath,
    [
      `ListenAddress 127.0.0.1`,
      `Port ${port}`,
      `HostKey ${hostKeyPath}`,
      `AuthorizedKeysFile ${userKeyPath}.pub`,
      // The folder is a temporary one, below others that belong to somebody else.
      `StrictModes no`,
      `UsePAM no`,
      `PasswordAuthentication yes`,
      `PidFile none`,
      `Subsystem sftp internal-sftp`,
      `ForceCommand internal-sftp`,
      `MaxStartups 100:30:200`,
      `LogLevel ERROR`,
    ].join("\n"),
  );
  if (asOther) {
    await chmod(dir, 0o755);
    await chown(hostKeyPath, otherUser.id, otherUser.id);
  }
  // A fetched program lies in root's own cache, where nobody may look.
  const { path, env } = asOther && program.root !== "" ? await copyProgram(program, dir) : program;
  const sshd = [path, "-D", "-e", "-f", configPath];
  const caps = options.readsAll ? ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"] : [];
  const setpriv = ["--reuid", String(otherUser.id), "--regid", String(otherUser.id), "--clear-groups", ...caps, "--"];
  const [command = "", ...args] = !asOther
    ? sshd
    : options.password === undefined
      ? ["setpriv", ...setpriv, ...sshd]
      : [...(await withPassword(options.password, dir)), "setpriv", ...setpriv, ...sshd];
  const child = spawn(command, args, {
    env: childEnv({ PATH: `${process.env.PATH}:/usr/sbin`, ...env }),
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill();
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) break;
    if (await answers(port)) {
      return {
        port,
        user: asOther ? otherUser.name : userInfo().username,
        privateKey: await readFile(userKeyPath, "utf8"),
        hostKey: await fingerprintOf(`${hostKeyPath}.pub`),
        async removeKey() {
          await rename(`${userKeyPath}.pub`, `${userKeyPath}.away`);
          return () => rename(`${userKeyPath}.away`, `${userKeyPath}.pub`);
        },
        stop,
      };
    }
    await sleep(50);
  }
  await stop();
  throw new Error(`sshd did not answer: ${log}`);
}

/** What a command is put behind to see a /etc/shadow of its own. */
async function withPassword(password: string, dir: string): Promise<string[]> {
  const { status, stdout } = spawnSync("openssl", ["passwd", "-6", "-stdin"], { input: password, encoding: "utf8" });
  if (status !== 0) throw new Error("openssl passwd failed");
  const path = join(dir, "shadow");
  await writeFile(path, `${otherUser.name}:${stdout.trim()}:20000:0:99999:7:::\n`, { mode: 0o600 });
  await chown(path, otherUser.id, otherUser.id);
  return ["unshare", "-m", "sh", "-c", `mount --bind ${path} /etc/shadow && exec "$@"`, "sh"];
}

async function copyProgram(program: DebianProgram, dir: string): Promise<Pick<DebianProgram, "path" | "env">> {
  const path = join(dir, "sshd");
  await cp(program.path, path);
  const libraries = join(dir, "lib");
  for (const folder of program.env.LD_LIBRARY_PATH?.split(":") ?? []) {
    await cp(folder, libraries, { recursive: true, dereference: true });
  }
  return { path, env: { LD_LIBRARY_PATH: libraries } };
}

function createKey(dir: string, name: string): string {
  const path = join(dir, `${name}_key`);
  const { status, stderr } = spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`ssh-keygen: ${stderr}`);
  return path;
}

async function fingerprintOf(publicKeyPath: string): Promise<string> {
  const [, base64 = ""] = (await readFile(publicKeyPath, "utf8")).split(" ");
  const digest = createHash("sha256").update(Buffer.from(base64, "base64")).digest("base64");
  return `SHA256:${digest.replace(/=+$/, "")}`;
}

async function answers(port: number): Promise<boolean> {
  const socket = createConnection({ host: "127.0.0.1", port });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
