import { describe, expect, it } from "vitest";
import { parseTraceNodes, parseTracePods } from "./trace.ts";

const podHeader =
  "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time";

describe("traces", () => {
  // Rows of alibaba/clusterdata, cluster-trace-gpu-v2023 (CC BY 4.0).
  it("reads nodes and pods as Alibaba publishes them", () => {
    expect(parseTraceNodes("sn,cpu_milli,memory_mib,gpu,model\nopenb-node-0000,64000,262144,2,P100\n")).toMatchObject([
      { name: "openb-node-0000", cpuMilli: 64_000, memoryMib: 262_144, gpus: 2, gpuModel: "P100" },
    ]);
    const pods = parseTracePods(
      `${podHeader}\r\nopenb-pod-0001,6000,12288,1,460,V100M16|V100M32,LS,Running,427061,12902960,427061\r\n`,
    );
    expect(pods).toEqual([
      {
        name: "openb-pod-0001",
        cpuMilli: 6000,
        memoryMib: 12_288,
        gpus: 1,
        gpuMilli: 460,
        gpuModels: ["V100M16", "V100M32"],
        qos: "LS",
        createdS: 427_061,
        deletedS: 12_902_960,
        scheduledS: 427_061,
      },
    ]);
  });

  it("reads lists without times, quoted fields and a byte order mark", () => {
    const csv = '\uFEFFname,cpu_milli,memory_mib,num_gpu,gpu_milli\n"a ""quoted"",\nname",1,2,0,0\nb,1,2,4,1000\n\n';
    expect(parseTracePods(csv)).toMatchObject([
      { name: 'a "quoted",\nname', gpus: 0, createdS: null },
      { name: "b", gpus: 4, gpuMilli: 1000 },
    ]);
  });

  it.each([
    ["a missing column", "name,cpu_milli,memory_mib,num_gpu\n", "lacks the column gpu_milli"],
    ["an empty file", "", "is empty"],
    [
      "a word for a number",
      `${podHeader}\na,1,2,0,0,,,,,,\nb,many,2,0,0,,,,,,`,
      'Line 3 of the pods: cpu_milli is "many"',
    ],
    ["a negative number", `${podHeader}\na,1,-2,0,0,,,,,,`, 'Line 2 of the pods: memory_mib is "-2"'],
    ["a share of nothing", `${podHeader}\na,1,2,1,0,,,,,,`, "gpu_milli"],
    ["more than a GPU's thousandths", `${podHeader}\na,1,2,1,1001,,,,,,`, "from 0 to 1000"],
    ["a name twice", `${podHeader}\na,1,2,0,0,,,,,,\na,1,2,0,0,,,,,,`, "already the name in line 2"],
    ["a field too few", `${podHeader}\na,1,2,0,0,,,,,`, "Line 2 of the pods has 10 fields where the header has 11"],
    ["a quote that never closes", `${podHeader}\n"a,1,2`, "Line 2 of the pods opens a quote"],
    ["text after a quote", `${podHeader}\n"a"b,1,2,0,0,,,,,,`, "goes on after a closing quote"],
  ])("names the line of %s", (_, csv, message) => {
    expect(() => parseTracePods(csv)).toThrow(message);
  });
});
