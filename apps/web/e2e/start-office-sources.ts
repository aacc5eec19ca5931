import { spawnSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grantUser } from "@anneal/connectors/conformance/fake-microsoft/fake-grants";
import { startFakeMicrosoft } from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { findDovecot } from "@anneal/connectors/conformance/start-dovecot";
import { password as mailPassword, startMailServer } from "@anneal/connectors/conformance/start-mail-server";
import { findMariadb, startMariadb } from "@anneal/connectors/conformance/start-mariadb";
import { findMotoPython, startMoto } from "@anneal/connectors/conformance/start-moto";
import { findSamba, sambaPeople, startSamba } from "@anneal/connectors/conformance/start-samba";
import { findSshd, startSshd } from "@anneal/connectors/conformance/start-sshd";

/** By these addresses every source knows them; Samba's account of ann is one of Debian's. */
export const people = { ann: `${sambaPeople.ann}@example.com`, bob: `${sambaPeople.bob}@example.com` } as const;
export type Person = keyof typeof people;

/** One document in one source, and what `anneal connect add` is told to reach it. */
export type OfficeSource = {
  kind: string;
  settings: Record<string, unknown>;
  secrets: Record<string, string>;
  /** Of what has no permissions of its own; left out: nobody. */
  audience?: "members";
  readers: readonly Person[];
  question: string;
  /** Stands in the document's answer and in no other. */
  fact: string;
};

export type OfficeSources = {
  sources: OfficeSource[];
  /** Why this machine cannot run a kind's server, whatever is installed on it. */
  impossible: ReadonlyMap<OfficeKind, string>;
  stop(): Promise<void>;
};

type Document = Pick<OfficeSource, "question" | "fact"> & { text: string };

function documentOf(question: string, answer: string, fact: string): Document {
  return { question, fact, text: `## ${question}\n\n${answer}\n` };
}

const documents = {
  smb: documentOf(
    "Who starts the reserve generator in the Halden annex?",
    "The reserve generator in the Halden annex is started by the night porter every second Thursday.",
    "night porter",
  ),
  sftp: documentOf(
    "Where are the seed samples of the Orrin trial kept?",
    "The seed samples of the Orrin trial are kept in the blue freezer beside the loading dock.",
    "blue freezer",
  ),
  imap: documentOf(
    "Which firm repairs the weighbridge at Tarn quarry?",
    "The weighbridge at Tarn quarry is repaired by Ulverston Scales within four working days.",
    "Ulverston Scales",
  ),
  mysql: documentOf(
    "How long may a visitor badge for the Ferrow archive be lent?",
    "A visitor badge for the Ferrow archive may be lent for nineteen hours and not longer.",
    "nineteen hours",
  ),
  s3: documentOf(
    "What is poured into the cooling tower at Kesh before winter?",
    "Before winter forty litres of glycol are poured into the cooling tower at Kesh.",
    "glycol",
  ),
  sharepoint: documentOf(
    "When is the pension committee of the Lorne works elected?",
    "The pension committee of the Lorne works is elected on the third Tuesday of November.",
    "third Tuesday",
  ),
} as const;

export type OfficeKind = keyof typeof documents;
export const officeKinds = Object.keys(documents) as OfficeKind[];

type Started = { source: OfficeSource; stop(): Promise<void> };
type Server = {
  /** What a machine without this cannot make up for by installing something. */
  needs: readonly Need[];
  /** Null where the program is missing, and why was printed. */
  start(): Promise<Started | null>;
};

const servers: Record<OfficeKind, Server> = {
  smb: { needs: ["root", "debian", "mounts"], start: smb },
  sftp: { needs: ["root", "debian"], start: sftp },
  imap: { needs: ["debian"], start: imap },
  mysql: { needs: ["debian"], start: mysql },
  s3: { needs: [], start: s3 },
  sharepoint: { needs: [], start: sharepoint },
};

type Need = "root" | "debian" | "mounts";
const needs: Record<Need, { has(): boolean; reason: string }> = {
  root: {
    has: () => process.getuid?.() === 0,
    reason: "files of several people need a server that root starts",
  },
  debian: {
    has: () => spawnSync("apt-get", ["--version"]).status === 0,
    reason: "its server comes from a Debian package, and this system has no apt-get",
  },
  mounts: {
    has: () => spawnSync("unshare", ["-m", "true"]).status === 0,
    reason: "this system lets nobody make mounts of their own",
  },
};

/**
 * Real servers where Debian or a registry carries one, and Microsoft's published API otherwise.
 * @throws Error where a server is missing that this machine could run
 */
export async function startOfficeSources(): Promise<OfficeSources> {
  const started: Started[] = [];
  const impossible = new Map<OfficeKind, string>();
  const stop = async () => void (await Promise.all(started.map((each) => each.stop())));
  try {
    for (const kind of officeKinds) {
      const lacking = servers[kind].needs.find((need) => !needs[need].has());
      if (lacking !== undefined) {
        impossible.set(kind, needs[lacking].reason);
        continue;
      }
      const one = await servers[kind].start();
      if (one === null)
        throw new Error(`The server of the source "${kind}" is missing on a machine that could run it; see above why.`);
      started.push(one);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { sources: started.map(({ source }) => source), impossible, stop };
}

async function smb(): Promise<Started | null> {
  const program = findSamba();
  if (program === null) return null;
  const samba = await startSamba(program);
  const path = join(samba.root, "generator.md");
  await writeFile(path, documents.smb.text);
  await samba.own(path);
  const entry = (sid: string) => ({ type: 0, sid });
  await samba.setAcl("generator.md", [entry(samba.sidOf(samba.user)), entry(samba.sidOf(sambaPeople.ann))]);
  return {
    source: {
      kind: "smb",
      settings: {
        host: "127.0.0.1",
        allowPrivateHosts: true,
        port: samba.port,
        share: samba.share,
        user: samba.user,
        userEmailDomain: "example.com",
      },
      secrets: { password: samba.password },
      readers: ["ann"],
      ...documents.smb,
    },
    stop: samba.stop,
  };
}

async function sftp(): Promise<Started | null> {
  const program = findSshd();
  if (program === null) return null;
  const sshd = await startSshd(program, { readsAll: true });
  const base = await mkdtemp(join(tmpdir(), "anneal-office-"));
  const folder = join(base, "trials");
  await mkdir(folder);
  const file = join(folder, "samples.md");
  const ids = { ann: 2001, bob: 2002 };
  const account = (person: Person) => `${people[person].split("@")[0]}:x:${ids[person]}:${ids[person]}::/:/bin/sh`;
  await writeFile(join(base, "passwd"), `root:x:0:0:root:/root:/bin/sh\n${account("ann")}\n${account("bob")}\n`);
  await writeFile(join(base, "group"), "root:x:0:\n");
  await writeFile(file, documents.sftp.text);
  for (const path of [base, folder]) await chmod(path, 0o755);
  await chown(file, ids.bob, ids.bob);
  await chmod(file, 0o600);
  return {
    source: {
      kind: "sftp",
      settings: {
        host: "127.0.0.1",
        allowPrivateHosts: true,
        port: sshd.port,
        user: sshd.user,
        path: folder,
        hostKeys: [sshd.hostKey],
        permissions: "posix",
        hiddenAccessLists: "none",
        userEmailDomain: "example.com",
        passwdPath: join(base, "passwd"),
        groupPath: join(base, "group"),
      },
      secrets: { privateKey: sshd.privateKey },
      readers: ["bob"],
      ...documents.sftp,
    },
    async stop() {
      await sshd.stop();
      await rm(base, { recursive: true, force: true });
    },
  };
}

async function imap(): Promise<Started | null> {
  const program = findDovecot();
  if (program === null) return null;
  const server = await startMailServer(program);
  const account = server.createAccount();
  await account.append("INBOX", "Weighbridge", documents.imap.text);
  return {
    source: {
      kind: "imap",
      settings: { ...account.config(), readers: [people.ann] },
      secrets: { password: mailPassword },
      readers: ["ann"],
      ...documents.imap,
    },
    stop: server.stop,
  };
}

async function mysql(): Promise<Started | null> {
  const program = findMariadb();
  if (program === null) return null;
  const server = await startMariadb(program);
  const { question, text } = documents.mysql;
  await server.run(
    null,
    "CREATE DATABASE archive; CREATE USER reader IDENTIFIED BY 'reader-password'; GRANT SELECT ON archive.* TO reader",
  );
  await server.run(
    "archive",
    "CREATE TABLE rule (id int PRIMARY KEY, title text, body text, owner varchar(20)); CREATE TABLE person (id varchar(20) PRIMARY KEY, email varchar(200))",
  );
  await server.run("archive", "INSERT INTO rule VALUES (1, ?, ?, 'u-bob')", [question, text]);
  await server.run("archive", "INSERT INTO person VALUES ('u-ann', ?), ('u-bob', ?)", [people.ann, people.bob]);
  return {
    source: {
      kind: "mysql",
      settings: {
        host: "127.0.0.1",
        allowPrivateHosts: true,
        port: server.port,
        database: "archive",
        user: "reader",
        tables: [{ name: "rule", title: "title", owner: "owner" }],
        peopleQuery: "SELECT id, email FROM person",
      },
      secrets: { password: "reader-password" },
      readers: ["bob"],
      ...documents.mysql,
    },
    stop: server.stop,
  };
}

/** Object storage says nothing of readers: the source's default audience applies. */
async function s3(): Promise<Started | null> {
  const python = findMotoPython();
  if (python === null) return null;
  const moto = await startMoto(python);
  const authorization =
    "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";
  for (const [path, body] of [["plant"], ["plant/winter.md", documents.s3.text]] as const) {
    const answer = await fetch(`${moto.endpoint}/${path}`, { method: "PUT", headers: { authorization }, body });
    if (!answer.ok) throw new Error(`PUT ${path}: ${answer.status}`);
  }
  return {
    source: {
      kind: "s3",
      settings: { bucket: "plant", endpoint: moto.endpoint, pathStyle: true, allowPrivateHosts: true },
      secrets: { accessKeyId: "AKIDOFFICE", secretAccessKey: "office-secret" },
      audience: "members",
      readers: ["ann", "bob"],
      ...documents.s3,
    },
    stop: moto.stop,
  };
}

async function sharepoint(): Promise<Started> {
  const fake = await startFakeMicrosoft();
  const { tenant } = fake;
  tenant.verifiedDomains = ["example.com"];
  tenant.addUser(sambaPeople.ann);
  tenant.addUser(sambaPeople.bob);
  const drive = tenant.addDrive("Documents");
  tenant.siteDriveIds.push(drive.id);
  const item = tenant.put(drive, "committee.md", documents.sharepoint.text);
  item.permissions = [grantUser(tenant, sambaPeople.ann)];
  return {
    source: {
      kind: "sharepoint",
      settings: {
        tenantId: tenant.id,
        clientId: tenant.clientId,
        siteUrl: "https://contoso.sharepoint.example/sites/team",
        graphUrl: fake.graphUrl,
        authorityUrl: fake.authorityUrl,
        allowPrivateHosts: true,
      },
      secrets: { clientSecret: tenant.clientSecret },
      readers: ["ann"],
      ...documents.sharepoint,
    },
    stop: fake.stop,
  };
}
