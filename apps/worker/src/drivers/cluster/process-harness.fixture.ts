import { mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClusterDriver } from "./cluster-driver.ts";
import type { ClusterHarness, MemberName } from "./describe-cluster-driver.ts";
import { createProcessDriver, type ProcessDriverOptions } from "./process-driver.ts";
import { markVariable, signal } from "./process-table.ts";
import { nameWorkload } from "./workload.ts";

const program = fileURLToPath(new URL("./test-program.fixture.ts", import.meta.url));

export type ProcessHarness = Omit<ClusterHarness, "createDriver"> & {
  stateDir: string;
  createDriver(options?: Partial<ProcessDriverOptions> & { dieAtStep?: number }): ClusterDriver;
  /** Process ids of members, and of the runners beside them, as /proc has them. */
  find(workloadId: string): Promise<{ members: Map<MemberName, number>; runners: number[] }>;
  /** The environment that a member was started with. */
  environment(workloadId: string, member: MemberName): Promise<Record<string, string>>;
};

export async function createProcessHarness(): Promise<ProcessHarness> {
  const root = await mkdtemp(join(tmpdir(), "anneal-processes-"));
  const stateDir = join(root, "state");
  const control = join(root, "control");
  const programOf = (behaviour: string): ClusterHarness["program"] => ({
    command: [process.execPath, program, "$(ANNEAL_VOLUME_CONTROL)", behaviour],
    volumes: [{ name: "control", mountPath: "/control", source: { kind: "folder", path: control } }],
  });
  const folderOf = (id: string) => join(control, nameWorkload(id));
  const fileOf = (id: string, member: MemberName, kind: string) =>
    join(folderOf(id), `${member.replace("/", "-")}.${kind}`);
  const read = (file: string) => readFile(file, "utf8").catch(() => "");

  async function find(id: string) {
    const members = new Map<MemberName, number>();
    const runners: number[] = [];
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number)) {
      const lines = (await read(`/proc/${pid}/environ`)).split("\0");
      const valueOf = (name: string) => lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
      if (!valueOf(markVariable)?.startsWith(join(stateDir, `${nameWorkload(id)}/`))) continue;
      const position = valueOf("ANNEAL_MEMBER_INDEX");
      if (position === undefined) runners.push(pid);
      else members.set(`${Number(valueOf("ANNEAL_REPLICA"))}/${Number(position)}`, pid);
    }
    return { members, runners };
  }

  return {
    stateDir,
    nodes: ["this-machine"],
    program: programOf("obedient"),
    stubbornProgram: programOf("stubborn"),
    busyProgram: programOf("busy"),
    find,
    createDriver({ dieAtStep, ...options } = {}) {
      let steps = 0;
      return createProcessDriver({
        stateDir,
        baseEnv: { PATH: "/usr/bin:/bin", HOME: root },
        nodeName: "this-machine",
        gpus: () => Promise.resolve([]),
        measure: () => Promise.resolve({ cpuMilli: 3500, memoryBytes: 8 * 1024 ** 3 }),
        siblingGraceMs: 5000,
        watchIntervalMs: 20,
        onStep(step) {
          if (steps === dieAtStep) throw new Error(`The driver died when it was to ${step}.`);
          steps += 1;
        },
        ...options,
      });
    },
    async finishRequests(id) {
      await writeFile(join(folderOf(id), "answered"), "");
    },
    async alive(id) {
      const { members } = await find(id);
      const entries = await Promise.all(
        [...members.keys()].map(async (member) => [member, (await read(fileOf(id, member, "starts"))).length] as const),
      );
      // Until it has noted its start, nothing can be asked of it.
      return Object.fromEntries(entries.filter(([, starts]) => starts > 0));
    },
    async endings(id) {
      const { members } = await find(id);
      const files = await readdir(folderOf(id)).catch(() => [] as string[]);
      const asked = files.filter((file) => file.endsWith(".asked")).map((file) => file.split(".")[0] ?? "");
      return Object.fromEntries(
        asked
          .map((name) => [name.replace("-", "/") as MemberName, files.includes(`${name}.ended`)] as const)
          .filter(([member]) => !members.has(member))
          .map(([member, ended]) => [member, ended ? "by itself" : "by force"] as const),
      );
    },
    async exit(id, member, exitCode) {
      // At once, so that the program never reads an empty file.
      const file = fileOf(id, member, "exit");
      await writeFile(`${file}.tmp`, String(exitCode));
      await rename(`${file}.tmp`, file);
    },
    async lose(id, member) {
      const pid = (await find(id)).members.get(member);
      if (pid !== undefined) signal(pid, "SIGKILL");
    },
    async environment(id, member) {
      return JSON.parse(await readFile(fileOf(id, member, "environment"), "utf8")) as Record<string, string>;
    },
    async close() {
      await rm(root, { recursive: true, force: true });
    },
  };
}
