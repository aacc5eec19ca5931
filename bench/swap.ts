// Hot swaps under load: keeps requests to one alias in flight while the alias changes between two versions, and counts
// what failed. Prints one JSON object. `node bench/swap.ts 200 4` makes it 200 requests and 4 swaps.
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

type Step = { step: string; durationMs: number | null };

const platform = await openPlatform();
try {
  const { adapterId, versions } = await makeTwoVersions(platform);
  const load = keepInFlight(platform);
  const swaps: { swapMs: number; engineLoadMs: number }[] = [];
  try {
    for (let swap = 0; swap < swapCount; swap += 1) {
      // Spread over the requests, so that each swap happens under load.
      await untilDone(async () => load.done() >= (requestCount * swap) / swapCount || load.ended());
      const current = await servedVersion(platform, adapterId);
      swaps.push(await deploy(platform, versions.find(({ id }) => id !== current)!.id));
    }
  } finally {
    await load.finish();
  }
  const over = (pick: (swap: (typeof swaps)[number]) => number) => ({
    p50: percentile(swaps.map(pick), 0.5),
    p99: percentile(swaps.map(pick), 0.99),
  });
  console.log(
    JSON.stringify({
      failed: load.failures.length,
      requests: load.done(),
      swaps: swaps.length,
      swapMs: over(({ swapMs }) => swapMs),
      engineLoadMs: over(({ engineLoadMs }) => engineLoadMs),
      swapWithoutLoadMs: over(({ swapMs, engineLoadMs }) => swapMs - engineLoadMs),
      failures: load.failures.slice(0, 3),
    }),
  );
} finally {
  await platform.close();
}

/** Goes on until the requests are through, and for as long as swaps are still to come. */
function keepInFlight({ url, headers }: Platform) {
  const failures: string[] = [];
  let done = 0;
  let swapping = true;
  let ended = false;
  const lane = async (lane: number) => {
    while (done < requestCount || swapping) {
      const content = `How often is the pump changed? (${lane}-${done})`;
      try {
        await streamCompletion(`${url}/api`, headers, { model: `${benchAdapter}@production`, content, maxTokens: 4 });
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

/** swapMs: from the order until every request goes to the new version; engineLoadMs: the engine's own part of it. */
async function deploy(
  { mutate, query }: Platform,
  adapterVersionId: string,
): Promise<{ swapMs: number; engineLoadMs: number }> {
  const { deploymentId } = await mutate<{ deploymentId: string }>("deploy.start", {
    adapterVersionId,
    alias: "production",
  });
  let progress: { status: string; error: unknown; swapMs: number | null; steps: Step[] };
  await untilDone(async () => {
    progress = await query("deploy.progress", { deploymentId });
    if (progress.status === "failed") throw new Error(JSON.stringify(progress.error));
    return progress.status === "done";
  });
  const engineLoadMs = progress!.steps.find(({ step }) => step === "load")?.durationMs ?? 0;
  return { swapMs: progress!.swapMs ?? Number.NaN, engineLoadMs };
}
