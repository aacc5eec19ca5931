import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { createDriveHarness as createGoogleDrive } from "@anneal/connectors/conformance/fake-google/drive-harness";
import { startFakeGoogle } from "@anneal/connectors/conformance/fake-google/start-fake-google";
import type { FakeDrive, FakeTenant } from "@anneal/connectors/conformance/fake-microsoft/fake-tenant";
import { startFakeMicrosoft } from "@anneal/connectors/conformance/fake-microsoft/start-fake-microsoft";
import { fullControl } from "@anneal/connectors/conformance/descriptor-bytes";
import { startAzurite } from "@anneal/connectors/conformance/start-azurite";
import { findMotoPython, startMoto } from "@anneal/connectors/conformance/start-moto";
import { findNfs, startNfs } from "@anneal/connectors/conformance/start-nfs";
import { findSamba, startSamba, type Samba } from "@anneal/connectors/conformance/start-samba";
import { findSshd, startSshd } from "@anneal/connectors/conformance/start-sshd";
import { BlobServiceClient, StorageSharedKeyCredential } from "@azure/storage-blob";
import { startBucket } from "./connectors-bucket.ts";
import { startFarLine } from "./connectors-far.ts";
import type { BenchSource, SourceRecipe } from "./connectors-source.ts";
import { documentName, documentText } from "./connectors-text.ts";

/** Files, objects and drives: what lies in folders. */
export const fileSources: Record<string, SourceRecipe> = {
  file: { server: "local disk", count: 100_000, start: (count) => startFolder(count, {}) },
  "file-permissions": {
    server: "local disk, POSIX permissions by getfacl",
    count: 5000,
    async start(count) {
      const found = await promisify(execFile)("getfacl", ["--version"]).catch(() => null);
      return found === null ? null : startFolder(count, { permissions: "posix", userEmailDomain: "example.com" });
    },
  },
  "file-nfs": { server: "NFS-Ganesha, mounted", count: 1000, start: startNfsFolder },
  s3: { server: "made-up bucket in another process", count: 100_000, start: (count) => startMadeUpBucket(count, 0) },
  "s3-far": {
    server: "the same, every answer 20 ms late",
    count: 2000,
    start: (count) => startMadeUpBucket(count, 20),
  },
  "s3-moto": { server: "PyPI moto", count: 1000, start: startMotoBucket },
  "azure-blob": { server: "made-up container in another process", count: 10_000, start: startMadeUpContainer },
  "azure-blob-azurite": { server: "npm azurite", count: 1000, start: startContainer },
  gcs: { server: "fake", count: 2000, start: startGcs },
  sftp: { server: "OpenSSH", count: 2000, start: (count) => startSftp(count, 0) },
  "sftp-far": { server: "OpenSSH, 20 ms away", count: 2000, start: (count) => startSftp(count, 20) },
  smb: { server: "samba", count: 300, start: startSmb },
  "smb-plain": { server: "samba, access lists left out", count: 2000, start: startPlainSmb },
  gdrive: { server: "fake", count: 2000, start: startGdrive },
  sharepoint: { server: "fake", count: 2000, start: (count) => startMicrosoft("sharepoint", count) },
  onedrive: { server: "fake", count: 1000, start: (count) => startMicrosoft("onedrive", count) },
};

async function writeFolder(count: number, parent = tmpdir()): Promise<string> {
  const root = await mkdtemp(join(parent, "anneal-bench-folder-"));
  // Everybody may pass, as the server may run as somebody else.
  await chmod(root, 0o755);
  for (let index = 0; index < count; index += 1) {
    const path = join(root, documentName(index));
    if (index % 1000 === 0) mkdirSync(dirname(path), { recursive: true });
    // Nothing else is to be done in this process, and it takes a third of the time.
    writeFileSync(path, documentText(index));
  }
  return root;
}

async function startFolder(count: number, config: Record<string, unknown>): Promise<BenchSource> {
  const path = await writeFolder(count);
  return {
    kind: "file",
    config: { path, ...config },
    secrets: {},
    stop: () => rm(path, { recursive: true, force: true }),
  };
}

const localBucket = (endpoint: string) => ({ bucket: "papers", endpoint, pathStyle: true, allowPrivateHosts: true });
async function startNfsFolder(count: number): Promise<BenchSource | null> {
  const programs = findNfs();
  if (programs === null) return null;
  const { trusting, stop } = await startNfs(programs);
  const path = join(trusting.mounted, basename(await writeFolder(count, trusting.onServer)));
  return { kind: "file", config: { path }, secrets: {}, stop };
}

const keys = { accessKeyId: "testing", secretAccessKey: "testing" };

async function startMadeUpContainer(count: number): Promise<BenchSource> {
  const { endpoint, stop } = await startBucket(count, { dialect: "azure" });
  const config = { container: "papers", accountUrl: `${endpoint}/account`, allowPrivateHosts: true };
  const accountKey = Buffer.from("a key that nobody looks at").toString("base64");
  return { kind: "azure-blob", config, secrets: { accountKey }, stop };
}

async function startMadeUpBucket(count: number, latencyMs: number): Promise<BenchSource> {
  const { endpoint, stop } = await startBucket(count, { latencyMs, dialect: "s3" });
  return { kind: "s3", config: localBucket(endpoint), secrets: keys, stop };
}

/** moto looks at the key's name and, unless it is told to, at nothing else. */
const authorization =
  "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x";

async function startMotoBucket(count: number): Promise<BenchSource | null> {
  const python = findMotoPython();
  if (python === null) return null;
  const { endpoint, stop } = await startMoto(python);
  const put = async (path: string, body: string) => {
    const response = await fetch(`${endpoint}/${path}`, { method: "PUT", body, headers: { authorization } });
    if (!response.ok) throw new Error(`PUT ${path}: ${response.status}`);
  };
  await put("papers", "");
  await inLanes(count, 8, (index) => put(`papers/${documentName(index)}`, documentText(index)));
  return { kind: "s3", config: localBucket(endpoint), secrets: keys, stop };
}

async function startContainer(count: number): Promise<BenchSource> {
  const { accountUrl, accountName, accountKey, stop } = await startAzurite();
  const service = new BlobServiceClient(accountUrl, new StorageSharedKeyCredential(accountName, accountKey));
  const container = service.getContainerClient("papers");
  await container.create();
  await inLanes(count, 8, async (index) => {
    const text = documentText(index);
    await container.getBlockBlobClient(documentName(index)).upload(text, Buffer.byteLength(text));
  });
  const config = { container: "papers", accountUrl, allowPrivateHosts: true };
  return { kind: "azure-blob", config, secrets: { accountKey }, stop };
}

async function startGcs(count: number): Promise<BenchSource> {
  const google = await startFakeGoogle("archive@corp.example");
  google.pageSize = 1000;
  google.buckets.buckets.set("papers", new Map());
  for (let index = 0; index < count; index += 1) google.buckets.put("papers", documentName(index), documentText(index));
  google.buckets.lists.settled = true;
  return {
    kind: "gcs",
    config: { bucket: "papers", endpoint: google.endpoint, allowPrivateHosts: true },
    secrets: { serviceAccountKey: google.tokens.keyFile() },
    stop: () => google.stop(),
  };
}

async function startSftp(count: number, roundTripMs: number): Promise<BenchSource | null> {
  const program = findSshd();
  if (program === null) return null;
  const path = await writeFolder(count);
  const sshd = await startSshd(program, { readsAll: process.getuid?.() === 0 });
  const line = roundTripMs === 0 ? null : await startFarLine(sshd.port, roundTripMs);
  return {
    kind: "sftp",
    config: {
      host: "127.0.0.1",
      allowPrivateHosts: true,
      port: line?.port ?? sshd.port,
      user: sshd.user,
      hostKeys: [sshd.hostKey],
      path,
    },
    secrets: { privateKey: sshd.privateKey },
    async stop() {
      await line?.stop();
      await sshd.stop();
      await rm(path, { recursive: true, force: true });
    },
  };
}

async function startSmb(count: number): Promise<BenchSource | null> {
  const program = findSamba();
  if (program === null) return null;
  const samba = await startSamba(program);
  const everything = [{ type: 0, sid: samba.sidOf(samba.user), mask: fullControl }];
  const own = async (name: string) => {
    await samba.own(join(samba.root, name));
    await samba.setAcl(name.replaceAll("/", "\\"), everything);
  };
  for (let index = 0; index < count; index += 1) {
    const name = documentName(index);
    if (index % 1000 === 0) {
      await mkdir(join(samba.root, dirname(name)));
      await own(dirname(name));
    }
    await writeFile(join(samba.root, name), documentText(index));
    await own(name);
  }
  return smbSource(samba, { userEmailDomain: "example.com" });
}

/** Nobody asks for a list of each file, and none is set: that takes a request of each. */
async function startPlainSmb(count: number): Promise<BenchSource | null> {
  const program = findSamba();
  if (program === null) return null;
  const samba = await startSamba(program, { rights: "posix" });
  await writeFolder(count, samba.root);
  return smbSource(samba, { permissions: "off" });
}

function smbSource(samba: Samba, config: Record<string, unknown>): BenchSource {
  const { port, share, user, password } = samba;
  return {
    kind: "smb",
    config: { host: "127.0.0.1", allowPrivateHosts: true, port, share, user, ...config },
    secrets: { password },
    stop: () => samba.stop(),
  };
}

async function startGdrive(count: number): Promise<BenchSource> {
  const { google, root, config, secrets, close } = await createGoogleDrive("my-drive");
  google.pageSize = 1000;
  const folder = google.drive.ensureFolder(root, "notes");
  for (let index = 0; index < count; index += 1) {
    const content = Buffer.from(documentText(index));
    google.drive.add({ name: `note-${index}.md`, parentId: folder, mimeType: "text/markdown", content });
  }
  return { kind: "gdrive", config, secrets, stop: close };
}

async function startMicrosoft(kind: "sharepoint" | "onedrive", count: number): Promise<BenchSource> {
  const fake = await startFakeMicrosoft();
  const { tenant } = fake;
  // As many as the service itself gives at once.
  tenant.pageSize = 200;
  const ann = tenant.addUser("ann");
  const drive = tenant.addDrive("Documents");
  if (kind === "sharepoint") tenant.siteDriveIds.push(drive.id);
  else tenant.userDriveIds.set(ann.id, drive.id);
  fillDrive(tenant, drive, count);
  tenant.lists.settled = true;
  return {
    kind,
    config: {
      tenantId: tenant.id,
      clientId: tenant.clientId,
      ...(kind === "sharepoint"
        ? { siteUrl: "https://contoso.sharepoint.example/sites/team" }
        : { users: [ann.userPrincipalName] }),
      graphUrl: fake.graphUrl,
      authorityUrl: fake.authorityUrl,
      allowPrivateHosts: true,
    },
    secrets: { clientSecret: tenant.clientSecret },
    stop: () => fake.stop(),
  };
}

/** As many put() would look each folder up among all that is there already. */
function fillDrive(tenant: FakeTenant, drive: FakeDrive, count: number): void {
  for (let start = 0; start < count; start += 1000) {
    const first = tenant.put(drive, documentName(start), documentText(start));
    for (let index = start + 1; index < Math.min(count, start + 1000); index += 1) {
      const id = `01${randomUUID().replaceAll("-", "").toUpperCase()}`;
      const name = `note-${String(index).padStart(8, "0")}.md`;
      drive.items.set(id, { ...first, id, name, content: Buffer.from(documentText(index)), order: first.order });
    }
  }
}

/** Calls `work` for every index, so many at a time. */
async function inLanes(count: number, lanes: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}
