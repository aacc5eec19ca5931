import { trainerConfigSchema } from "@anneal/core/train/trainer-config";
import type { TrainerEvent } from "@anneal/core/train/trainer-events";
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `installFakeTrainer` starts: its folder, and then what the trainer would get (`-m trainer --config <file>`). */
const [dir = "", , , , configPath = ""] = process.argv.slice(2);
const config = trainerConfigSchema.parse(JSON.parse(readFileSync(configPath, "utf8")));
const devices = process.env["CUDA_VISIBLE_DEVICES"] ?? null;

type Said<Event> = Event extends unknown ? Omit<Event, "at"> : never;
const say = (event: Said<TrainerEvent>) => console.log(JSON.stringify({ at: new Date().toISOString(), ...event }));

let step = 0;
process.on("SIGTERM", () => {
  say({ type: "stopped", step });
  process.exit(0);
});
// Last: who sees it knows that the program can be stopped.
appendFileSync(join(dir, "starts.ndjson"), `${JSON.stringify({ devices, gpuMemoryBytes: config.gpuMemoryBytes })}\n`);
setInterval(() => {
  step += 1;
  const rates = { loss: 1, learningRate: 1e-3, gradNorm: 1, tokens: 10, tokensPerSecond: 10 };
  say({ type: "step", step, totalSteps: 1000, epoch: 0, ...rates, memoryBytes: 2 ** 30, etaMs: 1000 });
  if (existsSync(join(dir, "finish"))) finish();
}, 50);

function finish(): never {
  const adapterDir = join(config.outputDir, "adapter");
  mkdirSync(adapterDir, { recursive: true });
  writeFileSync(join(adapterDir, "adapter_config.json"), "{}");
  say({
    type: "finished",
    steps: step,
    lossFirst: 2,
    lossLast: 1,
    lossWindow: 1,
    evalLossFirst: null,
    evalLoss: null,
    keptStep: step,
    tokensPerSecond: 10,
    tokensTotal: 10 * step,
    durationMs: 50 * step,
    adapterDir,
    stoppedEarly: false,
  });
  process.exit(0);
}
