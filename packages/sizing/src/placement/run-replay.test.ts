import { describe, expect, it } from "vitest";
import { runReplay } from "./run-replay.ts";
import { parseTraceNodes, parseTracePods } from "./trace.ts";

const nodes = parseTraceNodes("sn,cpu_milli,memory_mib,gpu,model\nn1,64000,65536,2,T4\n");
const pods = (rows: string) =>
  parseTracePods(`name,cpu_milli,memory_mib,num_gpu,gpu_milli,qos,creation_time,deletion_time,scheduled_time\n${rows}`);

describe("replay", () => {
  it("lets pods wait for those before them and run as long as they ran in the trace", () => {
    // b waits from 10 to 100 for a's GPUs; c fits beside nothing until b has ended at 100 + 50.
    const report = runReplay(
      nodes,
      pods("a,1,1,2,1000,BE,0,100,0\nb,1,1,2,1000,BE,10,70,20\nc,1,1,1,1000,BE,20,30,20"),
    );
    expect(report).toMatchObject({
      placedPods: 3,
      preemptions: 0,
      refused: [],
      waitSeconds: { mean: 73.333, p50: 90, p99: 130, max: 130 },
    });
    // (2 x 100 + 2 x 50 + 1 x 10) GPU-seconds over 160 s.
    expect(report.allocatedGpus).toBeCloseTo(310 / 160, 2);
  });

  it("stops batch pods for latency-sensitive ones, which then begin again", () => {
    const report = runReplay(nodes, pods("a,1,1,2,1000,BE,0,100,0\nb,1,1,2,1000,LS,10,40,10"));
    expect(report).toMatchObject({ placedPods: 2, preemptions: 1, waitSeconds: { max: 40 } });
  });

  it("says what a file without times lacks", () => {
    const untimed = parseTracePods("name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,1,1000");
    expect(() => runReplay(nodes, untimed)).toThrow("no creation_time");
  });
});
