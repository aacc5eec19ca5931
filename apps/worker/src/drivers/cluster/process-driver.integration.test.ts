import { AnnealError } from "@anneal/core/errors";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClusterDriver, WorkloadState } from "./cluster-driver.ts";
import { describeClusterDriver } from "./describe-cluster-driver.ts";
import type { GpuDevice } from "@anneal/processes/parse-nvidia-smi";
import { createProcessHarness, type ProcessHarness } from "./process-harness.fixture.ts";
import { signal } from "./process-table.ts";
import { type GangMember, nameWorkload, type WorkloadInput } from "./workload.ts";

describeClusterDriver("The process driver", createProcessHarness);

describe("The process driver", () => {
  let harness: ProcessHarness;
  let driver: ClusterDriver;
  beforeEach(async () => {
    harness = await createProcessHarness();
    driver = harness.createDriver();
  });
  afterEach(async () => {
    for (const { state } of await driver.list()) await driver.stop(state.workloadId, { graceMs: 1000 });
    await harness.close();
  });

  const member = (overrides: Partial<GangMember> = {}): GangMember => ({
    node: "this-machine",
    gpus: 0,
    gpuVendor: "nvidia",
    cpuMilli: 500,
    memoryBytes: 1024 ** 2,
    ...overrides,
  });
  const workload = (id: string, overrides: Partial<WorkloadInput> = {}): WorkloadInput => ({
    id,
    kind: "training",
    workspaceId: "research",
    replicas: [{ index: 0, gang: [member()] }],
    ...harness.program,
    graceMs: 10_000,
    ...overrides,
  });
  const until = async (what: string, holds: () => Promise<boolean>) => {
    const deadline = Date.now() + 30_000;
    while (!(await holds())) {
      if (Date.now() > deadline) expect.fail(`This did not come true in 30 s: ${what}`);
      await sleep(20);
    }
  };
  const untilState = async (id: string, status: WorkloadState["status"], words = "") => {
    let state = await driver.observe(id);
    await until(`"${id}" is ${status} ${words}`, async () => {
      state = await driver.observe(id);
      return state.status === status && JSON.stringify(state).includes(words);
    });
    return state;
  };
  const untilAlive = (id: string, count: number) =>
    until(`${count} of "${id}" run`, async () => Object.keys(await harness.alive(id)).length === count);
  const rejection = async (action: Promise<unknown>): Promise<AnnealError> => {
    const error: unknown = await action.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(AnnealError);
    return error as AnnealError;
  };
  const stateFiles = async () => {
    const names = await readdir(harness.stateDir, { recursive: true, withFileTypes: true });
    return names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };

  it("leaves its workloads running when its worker is killed, and the next one finds them", async () => {
    const module = fileURLToPath(new URL("./process-driver.ts", import.meta.url));
    const settings = { stateDir: harness.stateDir, baseEnv: { PATH: "/usr/bin:/bin" }, nodeName: "this-machine" };
    const worker = spawn(
      process.execPath,
      [
        "--input-type=module",
        "-e",
        `const { createProcessDriver } = await import(${JSON.stringify(module)});
         const driver = createProcessDriver(${JSON.stringify(settings)});
         await driver.start(${JSON.stringify(workload("t", { replicas: [{ index: 0, gang: [member(), member()] }] }))});
         process.kill(process.pid, "SIGKILL");`,
      ],
      { stdio: "inherit" },
    );
    expect((await once(worker, "exit"))[1]).toBe("SIGKILL");
    await untilAlive("t", 2);
    await untilState("t", "running");
    await harness.exit("t", "0/1", 5);
    // Its exit code is kept, though nobody was there who could have waited for it.
    expect(await untilState("t", "failed")).toMatchObject({ exitCode: 5 });
  });

  it("ends a gang whose runner was killed, and does not take it for running", async () => {
    await driver.start(workload("t", { replicas: [{ index: 0, gang: [member(), member()] }] }));
    await untilAlive("t", 2);
    for (const pid of (await harness.find("t")).runners) signal(pid, "SIGKILL");
    expect(await untilState("t", "failed", "killed from outside")).toMatchObject({ exitCode: null });
    await untilAlive("t", 0);
  });

  it("brings a server back whose runner was killed, with the next start", async () => {
    const server = workload("s", { kind: "serving" });
    await driver.start(server);
    await untilAlive("s", 1);
    for (const pid of (await harness.find("s")).runners) signal(pid, "SIGKILL");
    await untilState("s", "pending", "The next start brings it back");
    await driver.start(server);
    await untilState("s", "running");
    await untilAlive("s", 1);
    expect((await harness.find("s")).runners).toHaveLength(1);
  });

  it("tells a restart of the machine from everything else, and trusts no process number from before", async () => {
    await driver.start(workload("t"));
    await untilAlive("t", 1);
    const [file = ""] = (await stateFiles()).filter((path) => path.endsWith("runner.json"));
    const runner = JSON.parse(await readFile(file, "utf8")) as object;
    await writeFile(file, JSON.stringify({ ...runner, bootId: "the run of the kernel before" }));
    expect(await untilState("t", "failed", "The machine was restarted")).toMatchObject({ exitCode: null });
  });

  it("ends what a program has left behind, in the background and detached from it too", async () => {
    const leave = "setsid sleep 600 & sleep 600 & exec sleep 600";
    await driver.start(workload("t", { command: ["/bin/sh", "-c", leave], args: [] }));
    const countOf = async () => (await harness.find("t")).members.size;
    await until("its program runs", async () => (await countOf()) > 0);
    await driver.stop("t", { graceMs: 1000 });
    const { members, runners } = await harness.find("t");
    expect([members.size, runners.length]).toEqual([0, 0]);
  });

  it("leaves nothing of a program that has ended by itself", async () => {
    const leave = "setsid sleep 600 & sleep 600 & exit 0";
    await driver.start(workload("t", { command: ["/bin/sh", "-c", leave], args: [] }));
    await untilState("t", "succeeded");
    expect((await harness.find("t")).members.size).toBe(0);
  });

  it("runs a replica once, though a second runner was started for it", async () => {
    await driver.start(workload("t"));
    await untilAlive("t", 1);
    const folder = join(harness.stateDir, "workloads", nameWorkload("t"), "replica-0");
    const second = spawn(process.execPath, [fileURLToPath(new URL("./run-replica.ts", import.meta.url)), folder], {
      stdio: "inherit",
    });
    expect((await once(second, "exit"))[0]).toBe(0);
    expect(await harness.alive("t")).toEqual({ "0/0": 1 });
    expect((await driver.observe("t")).status).toBe("running");
  });

  it("kills a member that does not end when another one of its gang has failed", async () => {
    driver = harness.createDriver({ siblingGraceMs: 200 });
    const stubborn = {
      ...workload("t", { replicas: [{ index: 0, gang: [member(), member()] }] }),
      ...harness.stubbornProgram,
    };
    await driver.start(stubborn);
    await untilAlive("t", 2);
    await harness.exit("t", "0/0", 1);
    expect(await untilState("t", "failed", "Member 0")).toMatchObject({ exitCode: 1 });
    await untilAlive("t", 0);
  });

  it("says that a program was not found, and leaves no other member running", async () => {
    await driver.start(workload("t", { command: ["no-such-program"], args: [] }));
    expect(await untilState("t", "failed", "could not be started")).toMatchObject({ exitCode: 127 });
  });

  it("gives programs what was meant for them and nothing of the worker's own environment", async () => {
    const secret = join(harness.stateDir, "..", "token");
    await writeFile(secret, "s3cret-of-the-test\n");
    const folder = join(harness.stateDir, "..", "runs");
    await mkdir(folder);
    process.env["ANNEAL_ENCRYPTION_KEY_OF_THIS_TEST"] = "must not be seen";
    const { volumes = [] } = harness.program;
    await driver.start(
      workload("t", {
        env: { SEED: "7", LITERAL: "$(SEED)", HF_TOKEN: { file: secret } },
        ports: [{ name: "http", port: 18_090 }],
        volumes: [
          ...volumes,
          { name: "run-data", mountPath: "/run-data", source: { kind: "folder", path: folder } },
          { name: "scratch", mountPath: "/scratch", source: { kind: "scratch", sizeBytes: 1024 } },
        ],
      }),
    );
    await untilAlive("t", 1);
    delete process.env["ANNEAL_ENCRYPTION_KEY_OF_THIS_TEST"];
    const environment = await harness.environment("t", "0/0");
    expect(environment).toMatchObject({
      SEED: "7",
      LITERAL: "$(SEED)",
      HF_TOKEN: "s3cret-of-the-test",
      ANNEAL_VOLUME_RUN_DATA: folder,
      ANNEAL_MEMBER_INDEX: "0",
      ANNEAL_MEMBER_COUNT: "1",
      CUDA_VISIBLE_DEVICES: "",
    });
    expect(environment["ANNEAL_PORT_HTTP"]).toMatch(/^\d+$/);
    expect(await readdir(environment["ANNEAL_VOLUME_SCRATCH"] ?? "")).toEqual([]);
    expect(JSON.stringify(environment)).not.toContain("must not be seen");
    for (const file of await stateFiles())
      expect(await readFile(file, "utf8"), file).not.toContain("s3cret-of-the-test");
  });

  it("gives another port for one that is taken, and no port twice", async () => {
    const taken = createServer();
    taken.listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const server = workload("s", {
      kind: "serving",
      replicas: [0, 1].map((index) => ({ index, gang: [member()] })),
      ports: [{ name: "http", port }],
    });
    await driver.start(server);
    await untilAlive("s", 2);
    const state = await untilState("s", "running");
    const ports = state.status === "running" ? state.addresses.map((address) => address.ports["http"]) : [];
    expect(new Set([port, ...ports]).size).toBe(3);
    taken.close();
    await once(taken, "close");
  });

  it("shows each member its own GPUs, and gives them to another when they are free again", async () => {
    const device = (id: string, index: number, migProfile: string | null = null): GpuDevice => ({
      id,
      index,
      product: "NVIDIA-A100-SXM4-40GB",
      migProfile,
      memoryBytes: 40 * 1024 ** 3,
      usedBytes: 0,
      computeCapability: 8,
    });
    driver = harness.createDriver({
      gpus: () =>
        Promise.resolve([device("GPU-a", 0), device("GPU-b", 1), device("GPU-c", 2), device("MIG-1", 3, "1g.5gb")]),
    });
    const visible = async (id: string, name: "0/0" | "0/1") =>
      (await harness.environment(id, name))["CUDA_VISIBLE_DEVICES"];
    const withGpus = (id: string, ...gang: Partial<GangMember>[]) =>
      workload(id, { replicas: [{ index: 0, gang: gang.map((each) => member({ cpuMilli: 1, ...each })) }] });
    await driver.start(withGpus("pair", { gpus: 1, gpuIndices: [1] }, { gpus: 1, gpuIndices: [0] }));
    await driver.start(withGpus("slice", { gpus: 1, migProfile: "1g.5gb" }));
    await driver.start(withGpus("share", { gpus: 1, gpuMilli: 400 }));
    await driver.start(withGpus("same", { gpus: 1, gpuMilli: 600 }));
    await untilAlive("pair", 2);
    for (const id of ["slice", "share", "same"]) await untilAlive(id, 1);
    expect([await visible("pair", "0/0"), await visible("pair", "0/1")]).toEqual(["GPU-b", "GPU-a"]);
    expect(await visible("slice", "0/0")).toBe("MIG-1");
    expect([await visible("share", "0/0"), await visible("same", "0/0")]).toEqual(["GPU-c", "GPU-c"]);
    const refused = await rejection(driver.start(withGpus("more", { gpus: 1 })));
    expect(refused.message).toContain("it needs 1 nvidia GPUs and 0 are free");
    const taken = await rejection(driver.start(withGpus("part", { gpus: 1, gpuMilli: 100, gpuIndices: [0] })));
    expect(taken).toMatchObject({ code: "ADMISSION_REFUSED" });
    await driver.stop("pair", { graceMs: 5000 });
    await driver.start(withGpus("more", { gpus: 2 }));
    await untilAlive("more", 1);
    expect(await visible("more", "0/0")).toBe("GPU-a,GPU-b");
  });

  it("keeps a log for each member, which outlives the workload", async () => {
    await driver.start(workload("t"));
    await untilAlive("t", 1);
    await harness.exit("t", "0/0", 0);
    await untilState("t", "succeeded");
    await driver.stop("t", { graceMs: 1000 });
    const log = await readFile(join(harness.stateDir, "logs", nameWorkload("t"), "replica-0-member-0.log"), "utf8");
    expect(log).toContain("started with 4 arguments");
    // Nothing else of it is left.
    expect((await stateFiles()).filter((file) => !file.includes("/logs/"))).toEqual([]);
  });

  it("waits with starting again a little longer each time", async () => {
    await driver.start(workload("s", { kind: "serving", command: ["/bin/false"], args: [] }));
    await untilState("s", "pending", "exit code 1");
    expect(await untilState("s", "pending", "(2 times so far)")).toMatchObject({ workloadId: "s" });
  });

  it("refuses what only Kubernetes can do, and says what to use instead", async () => {
    const secret = await rejection(
      driver.start(workload("t", { env: { HF_TOKEN: { secret: { name: "hub", key: "token" } } } })),
    );
    expect(secret).toMatchObject({ code: "INVALID_INPUT", action: "Give the secret as { file: <path> }." });
    const claim = workload("t", {
      volumes: [{ name: "run", mountPath: "/r", source: { kind: "claim", claimName: "runs" } }],
    });
    expect((await rejection(driver.start(claim))).code).toBe("INVALID_INPUT");
  });

  it("looks at the machine itself when nothing else is said", async () => {
    driver = harness.createDriver({ measure: undefined });
    const [node] = await driver.discover(new AbortController().signal);
    expect(node).toMatchObject({ name: "this-machine", ready: true });
    expect(node?.cpuMilli.total).toBeGreaterThan(0);
    expect(node?.memoryBytes.total).toBeGreaterThan(256 * 1024 ** 2);
  });
});
