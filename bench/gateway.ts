// What the platform adds to a plain model call: the time to the first token and the throughput, both beside vLLM asked
// directly, taken in turns so that a busy machine slows both alike. Prints one JSON object. `node bench/gateway.ts 10` takes 10 rounds.
import { openPlatform, percentile, streamCompletion } from "./running-platform.ts";

const rounds = Number(process.argv[2] ?? 40);
const parallelRequests = 16;
const throughputRequests = 48;
const throughputRounds = 3;

const platform = await openPlatform();
try {
  const { data } = (await (await fetch(`${platform.engineUrl}/v1/models`)).json()) as {
    data: { id: string; parent: string | null }[];
  };
  const model = data.find(({ parent }) => parent === null)!.id;
  const ask = (through: "platform" | "engine", content: string, maxTokens: number) => {
    const [endpoint, headers] =
      through === "platform" ? [`${platform.url}/api`, platform.headers] : [platform.engineUrl, {}];
    return streamCompletion(endpoint, headers, { model, content, maxTokens });
  };

  for (const through of ["platform", "engine"] as const) await ask(through, "Warm up.", 8);
  const firstTokenMs = { platform: [] as number[], engine: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes first finds a colder machine: they take turns at it.
    const order = round % 2 === 0 ? (["platform", "engine"] as const) : (["engine", "platform"] as const);
    // Another prompt each time, so that no prefix cache answers for one of the two.
    for (const through of order) {
      firstTokenMs[through].push(
        (await ask(through, `${through} ${round}: how often is the pump changed?`, 4)).firstTokenMs,
      );
    }
  }

  const tokensPerSecond = { platform: [] as number[], engine: [] as number[] };
  for (let round = 0; round < throughputRounds; round += 1) {
    const order = round % 2 === 0 ? (["platform", "engine"] as const) : (["engine", "platform"] as const);
    for (const through of order) {
      const queue = Array.from(
        { length: throughputRequests },
        (_, index) => `${round}-${index}: tell a story.`,
      ).values();
      const startedAt = performance.now();
      let tokens = 0;
      const lane = async () => {
        for (const content of queue) {
          const answer = await ask(through, `${through} ${content}`, 16);
          // Not `tokens += (await …)`: the sum would be read before the wait, and what others added meanwhile lost.
          tokens += answer.tokens;
        }
      };
      await Promise.all(Array.from({ length: parallelRequests }, lane));
      tokensPerSecond[through].push((tokens / (performance.now() - startedAt)) * 1000);
    }
  }

  const round = (value: number) => Number(value.toFixed(2));
  const p50 = { platform: percentile(firstTokenMs.platform, 0.5), engine: percentile(firstTokenMs.engine, 0.5) };
  const rate = { platform: percentile(tokensPerSecond.platform, 0.5), engine: percentile(tokensPerSecond.engine, 0.5) };
  console.log(
    JSON.stringify({
      firstTokenP50Ms: { platform: round(p50.platform), engine: round(p50.engine) },
      overheadP50Ms: round(p50.platform - p50.engine),
      tokensPerSecondAt16: { platform: round(rate.platform), engine: round(rate.engine) },
      throughputRatio: round(rate.platform / rate.engine),
    }),
  );
} finally {
  await platform.close();
}
