// Hot swaps: first with nothing else to do, then under load, where requests to one alias stay in flight while the alias
// changes between two versions, and what failed is counted. Prints one JSON object. `node bench/swap.ts 200 4` makes it
// 200 requests and 4 swaps. Under load the probe, a completion by the new version, goes before what waits in the engine, but
// waits for the pass that is under way: `platformMs` is a swap without both, `beyondLoadMs` (wanted: 1,000) with the probe.
import {
  benchAdapter,
  makeTwoVersions,
  openPlatform,
  percentile,
  streamCompletion,
  untilDone,
  type Platform,
} from "./running-platform.ts";

const requestCount = Number(process.argv[2] ?? 1000);
const swapCount = Number(process.argv[3] ?? 20);
const parallelRequests = 12;
const idleSwapCount = 5;

type Step = { step: string; durationMs: number | null };
type Swap = { swapMs: number; loadMs: number; probeMs: number };

const platform = await openPlatform();
try {
  const { adapterId, versions } = await makeTwoVersions(platform);
  const swap = async () => {
    const current = await servedVersion(platform, adapterId);
    return deploy(platform, versions.find(({ id }) => id !== current)!.id, adapterId);
  };
  const idle: Swap[] = [];
  while (idle.length < idleSwapCount) idle.push(await swap());
  const load = keepInFlight(platform);
  const loaded: Swap[] = [];
  try {
    while (loaded.length < swapCount) {
      // Spread over the requests, so that each swap happens under load.
      await untilDone(async () => load.done() >= (requestCount * loaded.length) / swapCount || load.ended());
      loaded.push(await swap());
    }
  } finally {
    await load.finish();
  }
  console.log(
    JSON.stringify({
      failed: load.failures.length,
      requests: load.done(),
      swaps: loaded.length,
      idle: summarise(idle),
      underLoad: summarise(loaded),
      requestUnderLoadMs: spread(load.latencies),
      failures: load.failures.slice(0, 3),
    }),
  );
} finally {
  await platform.close();
}

function spread(values: readonly number[]) {
  return { p50: Math.round(percentile(values, 0.5)), p99: Math.round(percentile(values, 0.99)) };
}

function summarise(swaps: readonly Swap[]) {
  return {
    swapMs: spread(swaps.map(({ swapMs }) => swapMs)),
    engineLoadMs: spread(swaps.map(({ loadMs }) => loadMs)),
    probeMs: spread(swaps.map(({ probeMs }) => probeMs)),
    beyondLoadMs: spread(swaps.map(({ swapMs, loadMs }) => swapMs - loadMs)),
    platformMs: spread(swaps.map(({ swapMs, loadMs, probeMs }) => swapMs - loadMs - probeMs)),
  };
}

/** Goes on until the requests are through, and for as long as swaps are still to come. */
function keepInFlight({ url, headers }: Platform) {
  const failures: string[] = [];
  const latencies: number[] = [];
  let done = 0;
  let swapping = true;
  let ended = false;
  const lane = async (lane: number) => {
    while (done < requestCount || swapping) {
      const content = `How often is the pump changed? (${lane}-${done})`;
      try {
        const model = `${benchAdapter}@production`;
        latencies.push((await streamCompletion(`${url}/api`, headers, { model, content, maxTokens: 4 })).totalMs);
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
      }
      done += 1;
    }
  };
  const lanes = Promise.all(Array.from({ length: parallelRequests }, (_, index) => lane(index))).then(
    () => (ended = true),
  );
  return {
    failures,
    latencies,
    done: () => done,
    ended: () => ended,
    async finish() {
      swapping = false;
      await lanes;
    },
  };
}

async function servedVersion({ query }: Platform, adapterId: string): Promise<string> {
  const { aliases } = await query<{ aliases: { alias: string; adapterVersionId: string }[] }>("deploy.get", {
    adapterId,
  });
  return aliases.find(({ alias }) => alias === "production")!.adapterVersionId;
}

/** swapMs: from the call of the API until the alias stands on the new version; loadMs, probeMs: the engine's part of it. */
async function deploy({ mutate, query }: Platform, adapterVersionId: string, adapterId: string): Promise<Swap> {
  const calledAt = Date.now();
  const { deploymentId } = await mutate<{ deploymentId: string }>("deploy.start", {
    adapterVersionId,
    alias: "production",
  });
  let progress: { status: string; error: unknown; steps: Step[] };
  await untilDone(async () => {
    progress = await query("deploy.progress", { deploymentId });
    if (progress.status === "failed") throw new Error(JSON.stringify(progress.error));
    return progress.status === "done";
  });
  const { history } = await query<{ history: { deploymentId: string; at: string }[] }>("deploy.get", { adapterId });
  const flip = history.find((entry) => entry.deploymentId === deploymentId)!;
  const durationOf = (name: string) => progress.steps.find(({ step }) => step === name)?.durationMs ?? 0;
  return { swapMs: Date.parse(flip.at) - calledAt, loadMs: durationOf("load"), probeMs: durationOf("probe") };
}
