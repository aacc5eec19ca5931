import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chownSync, writeFileSync } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { choosePort } from "@anneal/processes/choose-port";
import { childEnv } from "./child-env.ts";
import { createCertificate } from "./create-certificate.ts";
import { findDebianProgram, type DebianProgram } from "./find-debian-program.ts";

export type DovecotAccounts = {
  users: readonly string[];
  password: string;
  /** Tells whether an access token is good, and whose it is (RFC 7662). */
  introspectionUrl: string;
};

export type Dovecot = {
  port: number;
  /** Lays messages into the user's inbox as a delivery does: at once, where an APPEND of each takes a hundredth of a second. */
  deliver(user: string, messages: Iterable<string>): Promise<void>;
  /** Makes the message that holds this text one that the server cannot read; returns how to heal it. */
  breakMessage(user: string, text: string): Promise<() => Promise<void>>;
  /** The account is no longer one of those that may sign in; returns how to make it one again. Open sessions stay. */
  lockOut(user: string): Promise<() => Promise<void>>;
  /** Ends the server; the mail stays. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
};

/** @returns null where there is none to be had, or none whose settings are written here, with the reason printed */
export function findDovecot(): DebianProgram | null {
  const program = findDebianProgram("dovecot-imapd", "usr/lib/dovecot/imap");
  if (program === null) return null;
  const env = childEnv(program.root === "" ? {} : libraryPath(program, program.root));
  const { stdout } = spawnSync(`${program.root}/usr/sbin/dovecot`, ["--version"], { encoding: "utf8", env });
  if (stdout?.startsWith("2.3.")) return program;
  console.warn(`IMAP tests are skipped: they know dovecot 2.3, and this is ${stdout?.trim() || "none that starts"}.`);
  return null;
}

const nobodyUid = 65_534;

/** A real dovecot for itself, with its mail in a folder that goes with it. Never root: started by root it is "nobody". */
export async function startDovecot(program: DebianProgram, accounts: DovecotAccounts): Promise<Dovecot> {
  const dir = await mkdtemp(join(tmpdir(), "dovecot-"));
  const port = await choosePort(undefined);
  const own = userInfo();
  const asNobody = own.uid === 0;
  const { uid, gid, name } = asNobody
    ? { uid: nobodyUid, gid: nobodyUid, name: "nobody" }
    : { ...own, name: own.username };
  const root = program.root === "" ? "" : await copyProgram(program.root, dir);
  for (const folder of ["mail", "run", "state"]) await mkdir(join(dir, folder));
  const users = join(dir, "users");
  await writeFile(users, accounts.users.map((user) => `${user}:{PLAIN}${accounts.password}\n`).join(""));
  await writeFile(
    join(dir, "oauth2.conf"),
    `introspection_mode = post\nintrospection_url = ${accounts.introspectionUrl}\nusername_attribute = username\nactive_attribute = active\nactive_value = true\n`,
  );
  const { key, cert } = await createCertificate("localhost");
  await writeFile(join(dir, "key.pem"), key);
  await writeFile(join(dir, "cert.pem"), cert);
  const config = join(dir, "dovecot.conf");
  await writeFile(config, describeServer({ dir, root, port, uid, gid, name }));
  if (asNobody) {
    for (const path of ["", "mail", "run", "state", "users", "oauth2.conf", "key.pem", "cert.pem", "dovecot.conf"])
      await chown(join(dir, path), uid, gid);
  }
  const env = childEnv({ PATH: `${process.env.PATH}:/usr/sbin`, ...(root === "" ? {} : libraryPath(program, root)) });
  let server: ChildProcess | null = null;

  async function resume(): Promise<void> {
    // What dovecot does by itself, but where its programs lie: reads the settings, and hands them on.
    const args = ["-f", "service=master", "-c", config, "-e", join(root, "/usr/sbin/dovecot"), "-F", "-c", config];
    const child = spawn(join(root, "/usr/bin/doveconf"), args, { env, uid, gid, cwd: dir, stdio: "ignore" });
    server = child;
    const until = performance.now() + 15_000;
    while (performance.now() < until && child.exitCode === null) {
      if (await greets(port)) return;
      await sleep(50);
    }
    await pause();
    const log = await readFile(join(dir, "dovecot.log"), "utf8").catch(() => "no log");
    throw new Error(`dovecot did not greet within 15 s: ${log.slice(-2000)}`);
  }

  async function pause(): Promise<void> {
    const child = server;
    server = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill();
    await ended;
  }

  try {
    await resume();
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return {
    port,
    async deliver(user, messages) {
      const maildir = join(dir, "mail", user, "Maildir");
      const folders = ["cur", "new", "tmp"].map((folder) => join(maildir, folder));
      for (const folder of folders) await mkdir(folder, { recursive: true });
      const made = [join(dir, "mail", user), maildir, ...folders];
      let count = 0;
      for (const message of messages) {
        const path = join(maildir, "new", `1.M${count}.localhost`);
        writeFileSync(path, message);
        made.push(path);
        count += 1;
      }
      if (asNobody) for (const path of made) chownSync(path, uid, gid);
    },
    async breakMessage(user, text) {
      const path = await findMessage(join(dir, "mail", user), text);
      await chmod(path, 0);
      return () => chmod(path, 0o600);
    },
    async lockOut(user) {
      const all = await readFile(users, "utf8");
      const others = all.split("\n").filter((line) => !line.startsWith(`${user}:`));
      const set = async (lines: string, letsIn: boolean) => {
        await writeFile(users, lines);
        // It looks at the file once a second.
        for (let tries = 0; (await letsInUser(port, user, accounts.password)) !== letsIn; tries += 1) {
          if (tries === 100) throw new Error(`dovecot still ${letsIn ? "refuses" : "lets in"} ${user}`);
          await sleep(50);
        }
      };
      await set(others.join("\n"), false);
      return () => set(all, true);
    },
    pause,
    resume,
    async stop() {
      await pause();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const builtInModules = "/usr/lib/dovecot/modules";

/**
 * A copy that runs from where it lies: one path is built into a library, and gives way to one that is not longer. It is
 * a copy also because nobody else may look into the cache of root.
 */
async function copyProgram(fetched: string, dir: string): Promise<string> {
  const root = join(dir, "program");
  for (const path of ["usr/sbin/dovecot", "usr/bin/doveconf", "usr/lib"]) {
    await cp(join(fetched, path), join(root, path), { recursive: true, verbatimSymlinks: true });
  }
  const modules = join(dir, "m");
  if (modules.length > builtInModules.length) throw new Error(`${tmpdir()} is too long a path to run dovecot in`);
  await symlink(join(root, builtInModules), modules);
  const library = join(root, "usr/lib/dovecot/libdovecot.so.0.0.0");
  const code = await readFile(library);
  const at = code.indexOf(`${builtInModules}\0`);
  if (at === -1) throw new Error("this dovecot looks for its modules elsewhere");
  code.fill(0, at, at + builtInModules.length).write(modules, at);
  await writeFile(library, code);
  return root;
}

function libraryPath(program: DebianProgram, root: string): { LD_LIBRARY_PATH: string } {
  const own = ["usr/lib/dovecot", "usr/lib/dovecot/modules/old-stats"].map((path) => join(root, path));
  const fetched = (program.env["LD_LIBRARY_PATH"] ?? "").replaceAll(program.root, root);
  return { LD_LIBRARY_PATH: [...own, fetched].join(":") };
}

/** A message of a Maildir is a file. */
async function findMessage(maildir: string, text: string): Promise<string> {
  for (const entry of await readdir(maildir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/[/](cur|new)$/.test(entry.parentPath)) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path, "utf8")).includes(text)) return path;
  }
  throw new Error(`no message holds "${text}"`);
}

type ServerPlace = { dir: string; root: string; port: number; uid: number; gid: number; name: string };

function describeServer({ dir, root, port, uid, gid, name }: ServerPlace): string {
  return `
protocols = imap
listen = 127.0.0.1
base_dir = ${dir}/run
state_dir = ${dir}/state
log_path = ${dir}/dovecot.log
libexec_dir = ${root}/usr/lib/dovecot
import_environment = LD_LIBRARY_PATH
default_internal_user = ${name}
default_internal_group =
default_login_user = ${name}
first_valid_uid = 1
first_valid_gid = 1
ssl = yes
ssl_cert = <${dir}/cert.pem
ssl_key = <${dir}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain xoauth2 oauthbearer
auth_failure_delay = 0
mail_max_userip_connections = 1000
mail_location = maildir:~/Maildir
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = ${dir}/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain
  args = ${dir}/users
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${dir}/mail/%u
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Trash {
    special_use = \\Trash
  }
  mailbox Junk {
    special_use = \\Junk
  }
}
service anvil {
  chroot =
  # Nobody waits for the wrong passwords of the test before.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  chroot =
  service_count = 0
  client_limit = 1000
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = 0
  }
}
`;
}

async function letsInUser(port: number, user: string, password: string): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    socket.write(`a LOGIN "${user}" "${password}"\r\n`);
    for await (const line of createInterface({ input: socket }))
      if (line.startsWith("a ")) return line.startsWith("a OK");
    throw new Error("dovecot hung up on a sign-in");
  } finally {
    socket.destroy();
  }
}

async function greets(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  try {
    const [greeting] = (await once(socket, "data", { signal: AbortSignal.timeout(2000) })) as [Buffer];
    return greeting.toString().startsWith("* OK");
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
