import { spawn } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkDisk } from "./check-disk.ts";
import { choosePort, claimPort } from "@anneal/processes/choose-port";
import { createTestFolders } from "@anneal/processes/test-folders.fixture";
import { classifyEngineLog } from "./classify-engine-log.ts";
import { identifyProcess, isAlive } from "./process-table.ts";
import { loadSecrets } from "./secrets.ts";
import { readStackSettings } from "./stack-settings.ts";
import { lockState } from "./state-lock.ts";

const makeDir = createTestFolders("state");

describe("lockState", () => {
  it("refuses a second stack, naming the process and the portal's address", async () => {
    const dir = await makeDir();
    const lock = await lockState(dir);
    await lock.setPortalUrl("http://localhost:3000");
    await expect(lockState(dir)).rejects.toMatchObject({
      code: "ALREADY_RUNNING",
      message: expect.stringContaining(String(process.pid)),
      action: expect.stringContaining("http://localhost:3000"),
    });
    await lock.release();
    await (await lockState(dir)).release();
  });

  it("takes over the lock of a dead stack, also when its pid belongs to another process now", async () => {
    const dir = await makeDir();
    await writeFile(
      join(dir, "stack.lock"),
      JSON.stringify({ holder: { pid: process.pid, startTicks: "1" }, children: [] }),
    );
    const lock = await lockState(dir);
    await expect(lockState(dir)).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    await lock.release();
  });

  it("takes over a torn lock", async () => {
    const dir = await makeDir();
    await writeFile(join(dir, "stack.lock"), '{"holder":');
    const lock = await lockState(dir);
    await expect(lockState(dir)).rejects.toMatchObject({ code: "ALREADY_RUNNING" });
    await lock.release();
  });

  it("waits for the leftover processes of a dead stack before it starts", async () => {
    const dir = await makeDir();
    const child = spawn("sleep", ["1"], { detached: true, stdio: "ignore" });
    const leftover = identifyProcess(child.pid ?? 0);
    await writeFile(
      join(dir, "stack.lock"),
      JSON.stringify({ holder: { pid: process.pid, startTicks: "1" }, children: [leftover] }),
    );
    const lock = await lockState(dir);
    expect(leftover && isAlive(leftover)).toBe(false);
    await lock.release();
  });
});

describe("ports", () => {
  it("names the taken port and how to choose another", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, "127.0.0.1", () => resolve((server.address() as { port: number }).port)),
    );
    await expect(claimPort(port, "ANNEAL_PORT")).rejects.toMatchObject({
      code: "PORT_TAKEN",
      message: expect.stringContaining(String(port)),
      action: expect.stringContaining("ANNEAL_PORT="),
    });
    expect(await choosePort(port)).not.toBe(port);
    await new Promise((resolve) => server.close(resolve));
    expect(await choosePort(port)).toBe(port);
    expect(await choosePort(port, new Set([port]))).not.toBe(port);
  });
});

describe("checkDisk", () => {
  it("says how much is free and how much is needed", async () => {
    await expect(checkDisk(tmpdir(), 2 ** 60)).rejects.toMatchObject({
      code: "DISK_FULL",
      message: expect.stringMatching(/GiB free, and .* GiB are needed/),
    });
    expect((await checkDisk(tmpdir(), 1)).freeBytes).toBeGreaterThan(0);
  });
});

describe("loadSecrets", () => {
  it("makes them once, readable only by their owner", async () => {
    const dir = await makeDir();
    const secrets = await loadSecrets(dir);
    expect(Buffer.from(secrets.encryptionKey, "base64")).toHaveLength(32);
    expect((await stat(join(dir, "secrets.json"))).mode & 0o777).toBe(0o600);
    expect(await loadSecrets(dir)).toEqual(secrets);
  });

  it("never replaces a damaged file, whose keys the stored data needs", async () => {
    const dir = await makeDir();
    await writeFile(join(dir, "secrets.json"), "{ torn");
    await expect(loadSecrets(dir)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await readFile(join(dir, "secrets.json"), "utf8")).toBe("{ torn");
  });
});

describe("readStackSettings", () => {
  it("names the wrong setting and not its value", () => {
    expect(() => readStackSettings({ ANNEAL_PORT: "hunter2" })).toThrow(/ANNEAL_PORT/);
    expect(() => readStackSettings({ ANNEAL_PORT: "hunter2" })).not.toThrow(/hunter2/);
  });

  it("takes an empty value for not set", () => {
    expect(readStackSettings({ ANNEAL_DATABASE_URL: "" }).ANNEAL_DATABASE_URL).toBeUndefined();
  });
});

describe("classifyEngineLog", () => {
  it.each([
    ["OSError: /models/x does not appear to have a file named config.json.", "MODEL_UNKNOWN"],
    ["ValueError: Model architectures ['FooForCausalLM'] are not supported for now.", "MODEL_UNKNOWN"],
    ["OSError: [Errno 28] No space left on device", "DISK_FULL"],
    ["OSError: [Errno 98] address already in use", "PORT_TAKEN"],
    [
      "RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: Cannot allocate memory",
      "ADMISSION_REFUSED",
    ],
  ])("%s -> %s", (line, code) => {
    expect(classifyEngineLog(["INFO starting", line])?.code).toBe(code);
  });

  it("says nothing about a log that it does not understand", () => {
    expect(classifyEngineLog(["INFO all is well"])).toBeUndefined();
  });
});
