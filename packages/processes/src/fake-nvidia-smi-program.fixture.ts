import { appendFileSync, readFileSync } from "node:fs";
import type { FakeGpu } from "./fake-nvidia-smi.fixture.ts";

/** What `installFakeNvidiaSmi` puts on PATH: the file with the cards, the file that calls are counted in, the question. */
const [state = "", calls = "", question = "", format] = process.argv.slice(2);
const gpus = JSON.parse(readFileSync(state, "utf8")) as FakeGpu[];

if (question === "-L") list();
else query(/^--query-gpu=(.+)$/.exec(question)?.[1]?.split(",") ?? []);

function list(): void {
  for (const [index, gpu] of gpus.entries()) {
    console.log(`GPU ${index}: ${gpu.name} (UUID: ${gpu.uuid})`);
    for (const [at, slice] of (gpu.slices ?? []).entries()) {
      console.log(`  MIG ${slice.profile.padEnd(11)} Device  ${at}: (UUID: ${slice.uuid})`);
    }
  }
}

function query(fields: readonly string[]): void {
  if (fields.length === 0 || format !== "--format=csv,noheader,nounits") {
    console.log(`Invalid combination of input arguments: ${question} ${format}`);
    process.exit(1);
  }
  if (fields.includes("memory.used")) appendFileSync(calls, "x");
  for (const [index, gpu] of gpus.entries()) {
    const known: Record<string, string | number> = {
      index,
      uuid: gpu.uuid,
      name: gpu.name,
      "memory.total": gpu.totalMib,
      "memory.used": gpu.usedMib ?? 0,
      "mig.mode.current": gpu.slices ? "Enabled" : "Disabled",
      compute_cap: gpu.computeCap ?? "9.0",
    };
    const unknown = fields.find((field) => !(field in known));
    if (unknown !== undefined) {
      console.log(`Field "${unknown}" is not a valid field to query.`);
      process.exit(2);
    }
    console.log(fields.map((field) => known[field]).join(", "));
  }
}
