import { execFile, execFileSync, spawnSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdirSync, mkdtempSync } from "node:fs";
import { chmod, mkdir, rm, statfs, symlink, truncate, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseSourceUri, type SourceUriOptions } from "@anneal/connectors/source-uri";
import { workspaceMembers } from "@anneal/core/access/acl";
import { diskReserveBytes } from "@anneal/core/disk-full";
import { loopWorkflowId, loopWorkflowName, taskQueue, type LoopInput } from "@anneal/core/loop/contract";
import { loopSettingsSchema } from "@anneal/core/loop/settings";
import { openDatabase, type DatabaseHandle, type Scope } from "@anneal/db/database";
import { migrateDatabase } from "@anneal/db/migrate";
import { saveWorkspace } from "@anneal/db/queries/access";
import { saveSource } from "@anneal/db/queries/sources";
import { listDocuments } from "@anneal/db/queries/documents";
import { createRun, getRun, listDrops } from "@anneal/db/queries/loop";
import { createSecretBox } from "@anneal/db/secret-box";
import { writeDocx } from "@anneal/documents/testing/office-fixture";
import { lines, writePdf } from "@anneal/documents/testing/pdf-fixture";
import { repoDir } from "@anneal/local-stack/environment";
import { startStack, type Stack } from "@anneal/local-stack/stack";
import { Client, Connection } from "@temporalio/client";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

// One stack without an engine: everything here fails, or is left out, before a model is needed.

/** Where this user may, the state lies on a disk of its own, whose size a test can change. */
const dir = mkdtempSync(join(tmpdir(), "anneal-bad-input-"));
const disk = join(dir, "disk");
const hasOwnDisk = mountDisk();

function mountDisk(): boolean {
  mkdirSync(disk);
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=4g,mode=755", "tmpfs", disk]).status === 0;
}

/** What is on the disk grows while it is measured, and Linux makes no disk smaller than what is on it: then once more. */
async function leaveFree(freeBytes: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const { blocks, bfree, bsize } = await statfs(disk);
    const sizeBytes = (blocks - bfree) * bsize + freeBytes;
    const { status, stderr } = spawnSync("mount", ["-o", `remount,size=${sizeBytes}`, disk], { encoding: "utf8" });
    if (status === 0) return;
    if (attempt === 20) throw new Error(stderr);
  }
}

let stateDir: string;
let stack: Stack;
let database: DatabaseHandle;
let connection: Connection;
let scope: Scope;
/** Of an unreachable bucket, which is tried for half a minute, and of a wrong password: what else is tested goes on meanwhile. */
let refusedRuns: ReturnType<typeof runRefused>;

beforeAll(async () => {
  // PostgreSQL does not run as root, and must be able to enter.
  await chmod(dir, 0o755);
  stateDir = join(disk, "state");
  stack = await startStack({
    stateDir,
    env: { ...process.env, ANNEAL_EMBEDDINGS_URL: "http://127.0.0.1:9/v1" },
    withEngine: false,
    withPortal: false,
  });
  await migrateDatabase(stack.databaseOwnerUrl, "anneal_app");
  database = openDatabase(stack.env["ANNEAL_DATABASE_URL"]!);
  const workspace = await saveWorkspace(database.db, { slug: "test", name: "Test" });
  scope = { db: database.db, workspaceId: workspace.id };
  await stack.startWorker();
  connection = await Connection.connect({ address: stack.env["ANNEAL_TEMPORAL_ADDRESS"]! });
  refusedRuns = runRefused();
  // Whose test need not be among those that run.
  refusedRuns.catch(() => undefined);
});

afterAll(async () => {
  await connection?.close();
  await database?.close();
  await stack?.stop();
  if (hasOwnDisk) execFileSync("umount", ["--lazy", disk]);
  await rm(dir, { recursive: true, force: true });
}, 60_000);

/** Adds a source by its address, as `anneal loop --source` does. */
async function addSource(uri: string, options: SourceUriOptions = {}): Promise<string> {
  const { kind, name, config, secrets } = parseSourceUri(uri, options);
  const id = randomUUID();
  const sealedSecrets =
    Object.keys(secrets).length === 0 ? null : createSecretBox(stack.env["ANNEAL_ENCRYPTION_KEY"]!).seal(secrets, id);
  await saveSource(scope, {
    id,
    name,
    kind,
    config,
    sealedSecrets,
    defaultAcl: { allow: [workspaceMembers(scope.workspaceId)], deny: [] },
    schedule: null,
  });
  return id;
}

async function runLoop(sourceId: string) {
  const settings = loopSettingsSchema.parse({ sourceIds: [sourceId], generatedPassages: 0 });
  const runId = randomUUID();
  const workflowId = loopWorkflowId(runId, 1);
  await createRun(scope, { id: runId, workflowId, startedBy: "test", settings });
  const input: LoopInput = { workspaceId: scope.workspaceId, runId, settings, fromStage: "connect", startedBy: "test" };
  const client = new Client({ connection });
  const handle = await client.workflow.start(loopWorkflowName, { workflowId, taskQueue, args: [input] });
  await handle.result().catch(() => undefined);
  return { ...(await getRun(scope, runId)), handle };
}

async function runRefused() {
  const bucket = await addSource("s3://quokka/docs", {
    s3Endpoint: "http://127.0.0.1:9",
    s3AccessKeyId: "AKIDQUOKKA",
    s3SecretAccessKey: "hunter2-secret",
  });
  const { host, username } = new URL(stack.env["ANNEAL_DATABASE_URL"]!);
  const table = await addSource(`postgres://${username}:hunter2-secret@${host}/postgres?tables=users`);
  return Promise.all([runLoop(bucket), runLoop(table)]);
}

async function makeFolder(name: string, files: Record<string, string | Uint8Array> = {}): Promise<string> {
  const folder = join(dir, name);
  await mkdir(folder);
  for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
  return folder;
}

async function takePort(): Promise<{ port: number; close: () => void }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

type Outcome = { exitCode: number; output: string };

/** The command line in a process of its own; `program` is the installer's entry where it is asked for. */
async function anneal(args: string[], env: NodeJS.ProcessEnv = {}, program = "apps/cli/src/main.ts"): Promise<Outcome> {
  const base = { ...process.env, INIT_CWD: dir, ANNEAL_STATE_DIR: join(dir, "other-state"), ANNEAL_BASE_MODEL: "" };
  const options = { env: { ...base, ...env }, timeout: 60_000 };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(repoDir, program), ...args], options);
    return { exitCode: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { exitCode: code, output: stdout + stderr };
  }
}

/** Code, what happened, what to do; no stack trace. */
function expectRefusal({ exitCode, output }: Outcome, code: string, sentence: string, action: string): void {
  expect(output).toContain(`${code}: `);
  expect(output).toContain(sentence);
  expect(output.slice(output.indexOf("What to do: "))).toContain(action);
  expect(output).toContain("What to do: ");
  expect(output).not.toMatch(/^\s+at /m);
  expect(exitCode).toBe(1);
}

describe("the command line says what is wrong before it starts anything", () => {
  it.each([
    ["no source", ["loop"], "No source was named", "--source"],
    ["an unknown option", ["loop", "--sorce", "x"], "(Did you mean --source?)", "--help"],
    ["a rank that is no number", ["loop", "--source", "x", "--rank", "high"], "a whole number from 1 to 256", "--help"],
    ["a method that is none", ["loop", "--source", "x", "--method", "magic"], "one of lora, dora,", "--help"],
    ["no readers", ["loop", "--source", "x"], "Nobody has said who may read", "--audience members"],
    ["an unknown kind of source", ["loop", "--source", "ftp://u:hunter2@h/x"], '"ftp://h/x" is not a source', "s3://"],
    [
      "a report in no folder",
      ["loop", "--source", "x", "--audience", "nobody", "--report", "no/r.json"],
      "cannot be written to",
      "a folder that",
    ],
  ])("%s", async (_, args, sentence, action) => {
    const outcome = await anneal(args);
    expectRefusal(outcome, "INVALID_INPUT", sentence, action);
    expect(outcome.output).not.toContain("hunter2");
  });

  it("a portal that does not answer", async () => {
    const args = [
      "loop",
      "--source",
      dir,
      "--audience",
      "nobody",
      "--portal",
      "http://127.0.0.1:9",
      "--api-key",
      "ank_x",
    ];
    expectRefusal(await anneal(args), "ENGINE_UNAVAILABLE", "http://127.0.0.1:9 does not answer", "npm start");
  });

  it("a port that is no port", async () => {
    const outcome = await anneal(["start"], { ANNEAL_PORT: "abc" });
    expectRefusal(outcome, "INVALID_INPUT", "ANNEAL_PORT must be a whole number from 1 to 65535", ".env.example");
  });

  it("a taken port", async () => {
    const { port, close } = await takePort();
    const outcome = await anneal(["start"], { ANNEAL_PORT: String(port) });
    close();
    expectRefusal(outcome, "PORT_TAKEN", `Port ${port} is already used`, "ANNEAL_PORT=");
  });

  it("a stack started twice", async () => {
    const outcome = await anneal(["start"], { ANNEAL_STATE_DIR: stateDir });
    expectRefusal(outcome, "ALREADY_RUNNING", `process ${process.pid}`, "ANNEAL_STATE_DIR");
    // The first one is untouched: its database still answers.
    expect((await listDocuments(scope, {}, { limit: 1, offset: 0 })).rows).toEqual([]);
  });

  it.each([
    ["that is a file", () => join(repoDir, "package.json"), "that is a file"],
    ["below a file", () => join(repoDir, "package.json/state"), "a part of the path is a file"],
    ["where nobody can make one", () => "/proc/x", "no folder can be made there"],
  ])("a state folder %s", async (_, stateDirOf, sentence) => {
    const outcome = await anneal(["start"], { ANNEAL_STATE_DIR: stateDirOf() });
    expectRefusal(outcome, "INVALID_INPUT", sentence, "ANNEAL_STATE_DIR");
  });

  it("an unknown base model", async () => {
    const outcome = await anneal(["start"], { ANNEAL_BASE_MODEL: "/nowhere" });
    expectRefusal(outcome, "MODEL_UNKNOWN", "/nowhere does not exist", "ANNEAL_BASE_MODEL");
  });

  it.each([
    ["missing", null, "no Python was found on PATH"],
    ["too old", "3.9", "python3 is 3.9"],
  ])("Python %s", async (what, version, sentence) => {
    const bin = await makeFolder(`bin ${what}`);
    await symlink("/bin/sh", join(bin, "sh"));
    if (version !== null) await writeFile(join(bin, "python3"), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    const env = { PATH: bin, XDG_CACHE_HOME: join(dir, "empty cache"), ANNEAL_PYTHON: "" };
    const outcome = await anneal([], env, "scripts/start.mjs");
    expectRefusal(outcome, "PREREQUISITE_MISSING", sentence, "apt-get install python3");
  });
});

describe("a source that cannot be read ends its run in one sentence", () => {
  it.each([
    ["a missing folder", () => join(dir, "none"), "SOURCE_NOT_FOUND", /does not exist/, /Check the path/],
    ["a file as folder", () => join(repoDir, "package.json"), "INVALID_INPUT", /is not a folder/, /Name the folder/],
    ["an empty folder", () => makeFolder("empty"), "SOURCE_EMPTY", /no document/, /Add documents/],
  ])("%s", async (_, uri, code, message, action) => {
    const { status, error } = await runLoop(await addSource(await uri()));
    expect(status).toBe("failed");
    expect(error).toMatchObject({
      stage: "connect",
      code,
      message: expect.stringMatching(message),
      action: expect.stringMatching(action),
    });
  });

  it("an unreachable bucket and a wrong password, neither of which shows a secret in Temporal's history", async () => {
    const { username } = new URL(stack.env["ANNEAL_DATABASE_URL"]!);
    const runs = await refusedRuns;
    expect(runs.map(({ error }) => error)).toMatchObject([
      { code: "SOURCE_UNREACHABLE", message: expect.stringContaining("127.0.0.1:9"), action: expect.any(String) },
      { code: "SOURCE_CREDENTIALS", message: expect.stringContaining(username), action: expect.any(String) },
    ]);
    const client = new Client({ connection });
    for (const { handle, workflowId, error } of runs) {
      expect(JSON.stringify(error)).not.toMatch(/hunter2|AKIDQUOKKA/);
      for (const id of [handle.workflowId, `${workflowId}-connect`]) {
        const { events } = await client.workflow.getHandle(id).fetchHistory();
        // As JSON, bytes are base64.
        const payloads = JSON.stringify(events, (key, value: unknown) =>
          key === "data" && typeof value === "string" ? Buffer.from(value, "base64").toString() : value,
        );
        expect(payloads).toContain(scope.workspaceId);
        expect(payloads).not.toMatch(/hunter2|AKIDQUOKKA/);
      }
    }
  });
});

it("leaves out each bad document with its reason, reads the good ones, and keeps them when the folder goes", async () => {
  const good = "# Parking\n\nResidents of the old town may apply for a parking permit at the civic office.\n";
  const folder = await makeFolder("mixed", {
    "good.md": good,
    "not-utf8.txt": Buffer.from("Das Büro öffnet um neun und schließt um fünf Uhr am Nachmittag.\n", "latin1"),
    "binary.txt": Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919) % 256)),
    "truncated.pdf": `%PDF-1.7\n${"1 0 obj << /Type /Catalog >> ".repeat(20)}`,
    "truncated.docx": Buffer.from("PK\u0003\u0004 and then nothing that a zip would hold"),
    "locked.pdf": writePdf([lines(72, 780, ["A page that nobody sees."])], { encrypt: true }),
    "bomb.docx": writeDocx(`<w:p><w:t>${" ".repeat(40 * 1024 ** 2)}</w:t></w:p>`),
    "huge.md": "",
  });
  await truncate(join(folder, "huge.md"), 2 * 1024 ** 3);
  const sourceId = await addSource(folder);

  const run = await runLoop(sourceId);
  // Two documents without questions hold no pair: the run goes on as far as there is something to learn.
  expect(run.error).toMatchObject({ stage: "dataset", code: "DATASET_EMPTY", action: expect.any(String) });
  const { rows } = await listDrops(scope, run.id, { limit: 50, offset: 0 });
  expect(Object.fromEntries(rows.map(({ ref, code }) => [ref, code]))).toEqual({
    "huge.md": "DOCUMENT_TOO_LARGE",
    "binary.txt": "DOCUMENT_UNSUPPORTED",
    "truncated.pdf": "DOCUMENT_DAMAGED",
    "truncated.docx": "DOCUMENT_DAMAGED",
    "locked.pdf": "DOCUMENT_ENCRYPTED",
    "bomb.docx": "DOCUMENT_HOSTILE",
  });
  for (const { reason } of rows) expect(reason).toMatch(/^.+\. .+\.$/);
  const documents = async () => (await listDocuments(scope, {}, { limit: 50, offset: 0 })).rows;
  const before = await documents();
  expect(before).toHaveLength(8);

  await rm(folder, { recursive: true });
  expect((await runLoop(sourceId)).error).toMatchObject({ code: "SOURCE_NOT_FOUND" });
  expect((await documents()).map(({ ref, status }) => [ref, status])).toEqual(
    before.map(({ ref, status }) => [ref, status]),
  );
});

it.runIf(hasOwnDisk)(
  "ends a run on a disk that fills up in the middle, keeps all that was stored, and goes on when there is room",
  { timeout: 180_000 },
  async () => {
    const documents = async () =>
      (await listDocuments(scope, {}, { limit: 100, offset: 0 })).rows.map(({ ref }) => ref).sort();
    const before = await documents();
    const files = Array.from({ length: 32 }, (_, index) => [`part-${index}.txt`, randomBytes(4 * 1024 ** 2)] as const);
    const sourceId = await addSource(await makeFolder("large", Object.fromEntries(files)));

    // Above what the database keeps for itself, room for more of the documents than are stored side by side, for a file
    // of its log, and not for all.
    await leaveFree(diskReserveBytes + 60 * 1024 ** 2);
    const full = await runLoop(sourceId);
    expect(full).toMatchObject({
      status: "failed",
      error: { stage: "connect", code: "DISK_FULL", action: expect.stringContaining("Free some space") },
    });
    expect(full.error!.message).toMatch(/has \d+ MiB free, and the last 512 MiB are kept for the database/);
    const stored = await documents();
    expect(stored.length).toBeGreaterThan(before.length);
    expect(stored.length).toBeLessThan(before.length + files.length);
    expect(stored).toEqual(expect.arrayContaining(before));

    // Somebody else takes the last byte: nothing can be begun, what is stored can be read, and all comes back by itself.
    // PostgreSQL may refuse a new connection then, for which it writes a file of its own; one that is open goes on.
    const reader = await database.pool.connect();
    try {
      await leaveFree(0);
      await runLoop(sourceId).catch(() => undefined);
      await reader.query("select set_config('app.workspace_id', $1, false)", [scope.workspaceId]);
      const { rows } = await reader.query<{ ref: string }>("select ref from documents where deleted_at is null");
      expect(rows.map(({ ref }) => ref).sort()).toEqual(stored);
    } finally {
      reader.release(true);
    }

    await leaveFree(2 * diskReserveBytes);
    const again = await vi.waitFor(() => runLoop(sourceId), { timeout: 120_000, interval: 1_000 });
    expect(again.stages.find(({ stage }) => stage === "connect")).toMatchObject({ status: "done" });
    expect(await documents()).toEqual([...before, ...files.map(([name]) => name)].sort());
  },
);
