import { AnnealError, type ErrorCode } from "@anneal/core/errors";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClusterDriver, ObservedWorkload, WorkloadState } from "./cluster-driver.ts";
import type { GangMember, Replica, WorkloadInput } from "./workload.ts";

/** "<replica>/<member>". */
export type MemberName = `${number}/${number}`;

/**
 * What a driver's own test gives to the suite: a cluster, and hands to look at it and to change it that do not go through
 * the driver. Its programs do what the harness says, and end on being asked unless they are stubborn.
 */
export type ClusterHarness = {
  /** On the same cluster, as after a restart of the worker. One with `dieAtStep` throws at its n-th outward step. */
  createDriver(options?: { dieAtStep?: number }): ClusterDriver;
  /** Members of a gang are placed on these in turn; each has room for six members of half a core. */
  nodes: readonly string[];
  /** What every workload of the test has in common: its program. */
  program: Pick<WorkloadInput, "image" | "command" | "args" | "volumes">;
  stubbornProgram: ClusterHarness["program"];
  /** Its first member has one request in flight until `finishRequests`; needs the port "http". */
  busyProgram: ClusterHarness["program"];
  finishRequests(workloadId: string): Promise<void>;
  /** Which members run, with how often each was started since it was placed. */
  alive(workloadId: string): Promise<Record<MemberName, number>>;
  /** How members that were asked to end did so. */
  endings(workloadId: string): Promise<Partial<Record<MemberName, "by itself" | "by force">>>;
  /** Makes a member's program end with this code. */
  exit(workloadId: string, member: MemberName, exitCode: number): Promise<void>;
  /** Takes a member away together with what it runs on, as far as the cluster has that. */
  lose(workloadId: string, member: MemberName): Promise<void>;
  /** Left out where nothing lies between driver and cluster. */
  connection?: {
    /** The next `times` requests are refused for being too many. */
    throttle(times: number): void;
    /** The next `times` connections break, before or after the request was carried out. */
    cut(times: number, when: "before" | "after"): void;
    requests(): number;
    /** That one look at a workload may make, when each of them fails as often as it may. */
    mostRequests: number;
  };
  close(): Promise<void>;
};

const mib = 1024 ** 2;
/** Bounds hanging, not speed. */
const boundMs = 30_000;

export function describeClusterDriver(name: string, createHarness: () => Promise<ClusterHarness>): void {
  describe(`${name} keeps the cluster driver contract`, () => {
    let harness: ClusterHarness;
    let driver: ClusterDriver;

    beforeEach(async () => {
      harness = await createHarness();
      driver = harness.createDriver();
    });
    afterEach(async () => {
      for (const { state } of await driver.list()) await driver.stop(state.workloadId, { graceMs: 1000 });
      await harness.close();
    });

    const member = (at: number, overrides: Partial<GangMember> = {}): GangMember => ({
      node: harness.nodes[at % harness.nodes.length]!,
      gpus: 0,
      gpuVendor: "nvidia",
      cpuMilli: 500,
      memoryBytes: 64 * mib,
      ...overrides,
    });
    const replica = (index: number, members = 1): Replica => ({
      index,
      gang: Array.from({ length: members }, (_, at) => member(index + at)),
    });
    const training = (id: string, members = 1, overrides: Partial<WorkloadInput> = {}): WorkloadInput => ({
      id,
      kind: "training",
      workspaceId: "research",
      replicas: [replica(0, members)],
      ...harness.program,
      graceMs: 10_000,
      ...overrides,
    });
    const serving = (id: string, replicas: number, overrides: Partial<WorkloadInput> = {}): WorkloadInput => ({
      ...training(id),
      kind: "serving",
      replicas: Array.from({ length: replicas }, (_, index) => replica(index)),
      ...overrides,
    });
    const replicasIn = (found: readonly ObservedWorkload[], id: string) =>
      found.find(({ state }) => state.workloadId === id)?.workload?.replicas;
    const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
      const deadline = Date.now() + boundMs;
      while (!(await holds())) {
        if (Date.now() > deadline) expect.fail(`This did not come true in ${boundMs / 1000} s: ${what}`);
        await sleep(20);
      }
    };
    const untilStatus = async <Status extends WorkloadState["status"]>(id: string, status: Status) => {
      let state = await driver.observe(id);
      await until(`"${id}" is ${status}`, async () => {
        state = await driver.observe(id);
        return state.status === status;
      });
      return state as Extract<WorkloadState, { status: Status }>;
    };
    const untilAlive = (id: string, members: MemberName[]) =>
      until(`${members.join(", ") || "nothing"} of "${id}" runs`, async () => {
        return (
          Object.keys(await harness.alive(id))
            .sort()
            .join() === [...members].sort().join()
        );
      });
    const rejects = async (action: Promise<unknown>, code: ErrorCode): Promise<AnnealError> => {
      const error: unknown = await action.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(AnnealError);
      const known = error as AnnealError;
      expect(known.code, known.message).toBe(code);
      expect(known.action).not.toBe("");
      return known;
    };

    it("knows nothing of an id that was never started", async () => {
      expect(await driver.observe("nobody")).toEqual({ workloadId: "nobody", status: "gone" });
      expect(await driver.list()).toEqual([]);
      await driver.stop("nobody", { graceMs: 1000 });
    });

    it("runs a training on the node that was chosen for it until it has succeeded", async () => {
      await driver.start(training("t"));
      const state = await untilStatus("t", "running");
      expect(state.addresses.map(({ replica: at, member: position, node }) => [at, position, node])).toEqual([
        [0, 0, harness.nodes[0]],
      ]);
      await untilAlive("t", ["0/0"]);
      await harness.exit("t", "0/0", 0);
      await untilStatus("t", "succeeded");
      await untilAlive("t", []);
    });

    it("starts one however often and by however many it is asked for", async () => {
      const other = harness.createDriver();
      await Promise.all([
        driver.start(training("t", 2)),
        other.start(training("t", 2)),
        driver.start(training("t", 2)),
      ]);
      await driver.start(training("t", 2));
      await untilAlive("t", ["0/0", "0/1"]);
      expect(await harness.alive("t")).toEqual({ "0/0": 1, "0/1": 1 });
      expect(await driver.list()).toHaveLength(1);
    });

    it("refuses an id that belongs to something else, and leaves that alone", async () => {
      await driver.start(training("t"));
      await rejects(driver.start(training("t", 1, { env: { SEED: "2" } })), "CONFLICT");
      await untilAlive("t", ["0/0"]);
    });

    it("loses and doubles nothing when the driver dies at any step of a start", async () => {
      for (const make of [(id: string) => training(id, 2), (id: string) => serving(id, 2)]) {
        const members: MemberName[] = make("x").kind === "training" ? ["0/0", "0/1"] : ["0/0", "1/0"];
        let died = true;
        for (let dieAtStep = 0; died; dieAtStep += 1) {
          const id = `${make("x").kind}-${dieAtStep}`;
          died = await harness
            .createDriver({ dieAtStep })
            .start(make(id))
            .then(
              () => false,
              () => true,
            );
          const next = harness.createDriver();
          // What is left of it is found, and whoever decided that it should run asks again.
          for (const { state } of await next.list()) {
            expect(state.workloadId).toBe(id);
            expect(["pending", "running"]).toContain(state.status);
          }
          await next.start(make(id));
          await untilAlive(id, members);
          expect(Object.values(await harness.alive(id))).toEqual(members.map(() => 1));
          await next.stop(id, { graceMs: 10_000 });
          expect(await harness.alive(id)).toEqual({});
          expect(dieAtStep).toBeLessThan(100);
        }
      }
    });

    it("finds everything again after a restart, what has ended included", async () => {
      await driver.start(training("runs"));
      await driver.start(serving("serves", 2));
      await driver.start(training("failed"));
      await untilAlive("failed", ["0/0"]);
      await harness.exit("failed", "0/0", 4);
      await untilStatus("failed", "failed");
      driver = harness.createDriver();
      await untilStatus("runs", "running");
      const found = await driver.list();
      expect(
        found.map(({ workload, state }) => [state.workloadId, workload?.workspaceId, state.status]).sort(),
      ).toEqual([
        ["failed", "research", "failed"],
        ["runs", "research", "running"],
        ["serves", "research", "running"],
      ]);
      expect(replicasIn(found, "serves")).toEqual([replica(0), replica(1)]);
    });

    it("runs every member of a gang and tells where each is", async () => {
      await driver.start(training("t", 3));
      await untilAlive("t", ["0/0", "0/1", "0/2"]);
      const { addresses } = await untilStatus("t", "running");
      expect(addresses.map((address) => address.member)).toEqual([0, 1, 2]);
      expect(addresses.map((address) => address.node).sort()).toEqual([0, 1, 2].map((at) => member(at).node).sort());
      expect(addresses.every((address) => address.host !== "")).toBe(true);
    });

    it("starts no member of a gang when one does not fit, and says which and why", async () => {
      const gang = [member(0), member(1), member(2, { node: "no-such-node" })];
      const refused = await rejects(
        driver.start(training("t", 3, { replicas: [{ index: 0, gang }] })),
        "ADMISSION_REFUSED",
      );
      expect(refused.retryable).toBe(true);
      expect(refused.details["shortfalls"]).toMatchObject([{ replica: 0, member: 2, node: "no-such-node" }]);
      expect(await harness.alive("t")).toEqual({});
      expect(await driver.observe("t")).toEqual({ workloadId: "t", status: "gone" });
      expect(await driver.list()).toEqual([]);
      // Placed elsewhere it starts under the same id.
      await driver.start(training("t", 3));
      await untilAlive("t", ["0/0", "0/1", "0/2"]);
    });

    it("counts the members of a gang together when it looks whether they fit", async () => {
      const gang = Array.from({ length: 8 }, () => member(0));
      const refused = await rejects(
        driver.start(training("t", 8, { replicas: [{ index: 0, gang }] })),
        "ADMISSION_REFUSED",
      );
      expect(refused.message).toContain("CPU");
      expect(await harness.alive("t")).toEqual({});
    });

    it("fails a gang as a whole, with a reason, when one of its members is lost", async () => {
      await driver.start(training("t", 3));
      await untilAlive("t", ["0/0", "0/1", "0/2"]);
      await harness.lose("t", "0/1");
      const state = await untilStatus("t", "failed");
      expect(state.reason).toContain(member(1).node);
      await untilAlive("t", []);
      // Nobody brings it back unasked.
      await driver.start(training("t", 3));
      expect((await driver.observe("t")).status).toBe("failed");
    });

    it("tells the exit code of the member that failed, and ends the others", async () => {
      await driver.start(training("t", 3));
      await untilAlive("t", ["0/0", "0/1", "0/2"]);
      await harness.exit("t", "0/2", 3);
      const state = await untilStatus("t", "failed");
      expect(state.exitCode).toBe(3);
      expect(state.reason).toContain("exit code 3");
      await untilAlive("t", []);
    });

    it("does not start again what has ended", async () => {
      await driver.start(training("t"));
      await untilAlive("t", ["0/0"]);
      await harness.exit("t", "0/0", 0);
      await untilStatus("t", "succeeded");
      await driver.start(training("t"));
      expect((await driver.observe("t")).status).toBe("succeeded");
      expect(await harness.alive("t")).toEqual({});
    });

    it("lets a workload end by itself when it is stopped, and forgets it", async () => {
      await driver.start(training("t", 2));
      await untilAlive("t", ["0/0", "0/1"]);
      await driver.stop("t", { graceMs: 10_000 });
      expect(await harness.alive("t")).toEqual({});
      expect(await harness.endings("t")).toEqual({ "0/0": "by itself", "0/1": "by itself" });
      expect(await driver.observe("t")).toEqual({ workloadId: "t", status: "gone" });
      await driver.stop("t", { graceMs: 10_000 });
    });

    it("kills what does not end within the grace", async () => {
      await driver.start(training("t", 1, harness.stubbornProgram));
      await untilAlive("t", ["0/0"]);
      await driver.stop("t", { graceMs: 1000 });
      expect(await harness.alive("t")).toEqual({});
      expect(await harness.endings("t")).toEqual({ "0/0": "by force" });
      expect((await driver.observe("t")).status).toBe("gone");
    });

    it("does not ask a server to end before its requests are answered", async () => {
      const drained = serving("s", 1, {
        ...harness.busyProgram,
        ports: [{ name: "http", port: 18_080 }],
        health: { port: "http", path: "/metrics" },
        drain: { port: "http", path: "/metrics", gauges: ["vllm:num_requests_running", "vllm:num_requests_waiting"] },
        graceMs: 60_000,
      });
      await driver.start(drained);
      await untilStatus("s", "running");
      let stopped = false;
      const stop = driver.stop("s", { graceMs: 60_000 }).then(() => {
        stopped = true;
      });
      await until("the stop has begun", async () => (await driver.observe("s")).status !== "running");
      expect(await harness.endings("s")).toEqual({});
      expect(Object.keys(await harness.alive("s"))).toEqual(["0/0"]);
      expect(stopped).toBe(false);
      await harness.finishRequests("s");
      await stop;
      expect(await harness.endings("s")).toEqual({ "0/0": "by itself" });
    });

    it("starts a server again when it ends, and says why it is away", async () => {
      await driver.start(serving("s", 1));
      await untilAlive("s", ["0/0"]);
      await harness.exit("s", "0/0", 7);
      await until("the exit code is told", async () => {
        const state = await driver.observe("s");
        return state.status === "pending" && state.reason.includes("exit code 7");
      });
      await until("it is up a second time", async () => (await harness.alive("s"))["0/0"] === 2);
      await untilStatus("s", "running");
    });

    it("adds and removes replicas of a server without touching the others", async () => {
      await driver.start(serving("s", 1));
      await untilAlive("s", ["0/0"]);
      await driver.scale("s", [replica(0), replica(1), replica(2)], { graceMs: 10_000 });
      await untilAlive("s", ["0/0", "1/0", "2/0"]);
      await until("all three are told of", async () => {
        const state = await driver.observe("s");
        return state.status === "running" && state.addresses.length === 3;
      });
      await driver.scale("s", [replica(1), replica(2)], { graceMs: 10_000 });
      await untilAlive("s", ["1/0", "2/0"]);
      expect(await harness.alive("s")).toEqual({ "1/0": 1, "2/0": 1 });
      expect(await harness.endings("s")).toEqual({ "0/0": "by itself" });
      expect(replicasIn(await harness.createDriver().list(), "s")).toEqual([replica(1), replica(2)]);
      // The first start, repeated late, brings nothing back.
      await driver.start(serving("s", 1));
      await untilAlive("s", ["1/0", "2/0"]);
    });

    it("serves from nothing and back", async () => {
      await driver.start(serving("s", 0));
      expect((await driver.observe("s")).status).toBe("pending");
      await driver.scale("s", [replica(0)], { graceMs: 10_000 });
      await untilStatus("s", "running");
      await driver.scale("s", [], { graceMs: 10_000 });
      expect(await harness.alive("s")).toEqual({});
      expect((await driver.list()).map(({ state }) => state.workloadId)).toEqual(["s"]);
    });

    it("changes nothing when an added replica does not fit, and only scales what serves", async () => {
      await driver.start(serving("s", 1));
      await driver.start(training("t"));
      await untilAlive("s", ["0/0"]);
      const tooBig: Replica = { index: 1, gang: [member(0, { cpuMilli: 1_000_000 })] };
      await rejects(driver.scale("s", [tooBig], { graceMs: 1000 }), "ADMISSION_REFUSED");
      const moved: Replica = { index: 0, gang: [member(0, { memoryBytes: mib })] };
      await rejects(driver.scale("s", [moved], { graceMs: 1000 }), "INVALID_INPUT");
      await rejects(driver.scale("t", [replica(0)], { graceMs: 1000 }), "INVALID_INPUT");
      await rejects(driver.scale("nobody", [replica(0)], { graceMs: 1000 }), "NOT_FOUND");
      expect(await harness.alive("s")).toEqual({ "0/0": 1 });
      expect(replicasIn(await driver.list(), "s")).toEqual([replica(0)]);
    });

    it("tells what our own workloads take of a node, until they are gone", async () => {
      const held = async () => {
        const nodes = await driver.discover(new AbortController().signal);
        return nodes.find((node) => node.name === harness.nodes[0])?.cpuMilli.heldByUs;
      };
      expect(await held()).toBe(0);
      await driver.start(training("t"));
      await until("its share is held", async () => (await held()) === 500);
      await driver.stop("t", { graceMs: 10_000 });
      expect(await held()).toBe(0);
    });

    it("tells of states as they change", async () => {
      const aborter = new AbortController();
      const told: string[] = [];
      const watching = (async () => {
        for await (const state of driver.watch(aborter.signal)) told.push(`${state.workloadId} ${state.status}`);
      })();
      await driver.start(training("t"));
      await untilAlive("t", ["0/0"]);
      await until("it is told to run", () => Promise.resolve(told.includes("t running")));
      await harness.exit("t", "0/0", 9);
      await until("it is told to have failed", () => Promise.resolve(told.includes("t failed")));
      await driver.stop("t", { graceMs: 1000 });
      await until("it is told to be gone", () => Promise.resolve(told.at(-1) === "t gone"));
      aborter.abort();
      await watching;
    });

    it("refuses a secret in plain, and names the field", async () => {
      const refused = await rejects(driver.start(training("t", 1, { env: { HF_TOKEN: "hf_x" } })), "INVALID_INPUT");
      expect(refused.message).toContain("env.HF_TOKEN");
      expect(JSON.stringify(refused.toReport())).not.toContain("hf_x");
      expect(await driver.list()).toEqual([]);
    });

    it("gets through refused and broken requests, and starts one all the same", async ({ skip }) => {
      const { connection } = harness;
      if (!connection) return skip("Nothing lies between this driver and its cluster.");
      for (const [id, disturb] of [
        ["throttled", () => connection.throttle(3)],
        ["cut-before", () => connection.cut(3, "before")],
        ["cut-after", () => connection.cut(3, "after")],
      ] as const) {
        disturb();
        await driver.start(training(id, 2));
        await untilAlive(id, ["0/0", "0/1"]);
        disturb();
        await driver.stop(id, { graceMs: 10_000 });
        expect(await harness.alive(id)).toEqual({});
      }
    });

    it("gives up after a bounded number of attempts, and says that trying later helps", async ({ skip }) => {
      const { connection } = harness;
      if (!connection) return skip("Nothing lies between this driver and its cluster.");
      for (const [disturb, code] of [
        [() => connection.throttle(1000), "RATE_LIMITED"],
        [() => connection.cut(1000, "before"), "ENGINE_UNAVAILABLE"],
      ] as const) {
        const before = connection.requests();
        disturb();
        const error = await rejects(driver.observe("t"), code);
        expect(error.retryable).toBe(true);
        expect(connection.requests() - before).toBeLessThanOrEqual(connection.mostRequests);
        connection.throttle(0);
        connection.cut(0, "before");
      }
      await driver.start(training("t"));
      await untilAlive("t", ["0/0"]);
    });
  });
}
