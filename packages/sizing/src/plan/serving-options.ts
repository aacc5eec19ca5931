/** A change to a plan that is worth weighing, with what it brings, what it needs of the network, and whether to do it. */
export type ServingOption = {
  kind: "disaggregation" | "prefix-cache" | "shared-prefix-cache";
  worthIt: boolean;
  /** In words, with numbers. */
  reason: string;
  network: NetworkNeed | null;
  ttftMs?: number;
  tokensPerSecondPerUser?: number;
  prefillReplicas?: number;
  decodeReplicas?: number;
  gpus?: number;
};

export type NetworkNeed = {
  kind: "RDMA (InfiniBand or RoCE)" | "Ethernet";
  /** Of one node, in Gbit/s: what the transfer needs, and the next speed that is sold. */
  gbps: number;
  linkGbps: number;
  bytesPerRequest: number;
  transferMs: number;
  /** The same transfer over plain TCP at 25 Gbit/s, in ms: why RDMA is asked for. */
  overTcpMs: number;
};

/** What the options are computed from: one pool as it stands. */
export type OptionBasis = {
  replicas: number;
  gpusPerReplica: number;
  requestsPerSecond: number;
  inputTokens: number;
  outputTokens: number;
  /** KV cache of a mean prompt, each key and value once: copies on the GPUs of a group are made where they are. */
  promptCacheBytes: number;
  ttftLimitMs: number | null;
  now: Latency;
  /** Were nothing of a prompt cached. */
  without: Latency;
  /** One prompt on an idle replica. */
  idleTtftMs: number;
  /** A replica that computes no prompt: its requests in flight within the limits. */
  decodeOnly: { capacity: number } & Latency;
  /** With a share of each prompt in the cache. */
  withPrefix: (share: number) => Latency;
};

export type Latency = { ttftMs: number; tokensPerSecondPerUser: number };

const linkSpeeds = [10, 25, 50, 100, 200, 400, 800, 1600, 3200];
/** Prefill replicas are kept below this share of their time, so that prompts hardly wait. */
const prefillUtilisation = 0.7;
/** Bytes/s of plain TCP on a 25 Gbit/s port. */
const tcpBytesPerSecond = (25e9 / 8) * 0.8;
/** A transfer may take this share of the time to first token. */
const transferShare = 0.1;
/** Two more pools and a router to run are not worth less than this share of the GPUs. */
const leastSaving = 0.1;

/** Disaggregation and prefix caches for a pool, each with the network that it needs. */
export function listServingOptions(pool: OptionBasis, hitRate: number): ServingOption[] {
  return [disaggregate(pool), reusePrefix(pool, hitRate), sharePrefix(pool, hitRate)];
}

function disaggregate(pool: OptionBasis): ServingOption {
  const { requestsPerSecond, inputTokens, promptCacheBytes: bytesPerRequest, decodeOnly, replicas } = pool;
  const prefillReplicas = Math.max(1, Math.ceil((requestsPerSecond * pool.idleTtftMs) / 1000 / prefillUtilisation));
  const decodeSeconds = pool.outputTokens / decodeOnly.tokensPerSecondPerUser;
  const decodeReplicas = Math.max(1, Math.ceil((requestsPerSecond * decodeSeconds) / Math.max(1, decodeOnly.capacity)));
  const gpus = (prefillReplicas + decodeReplicas) * pool.gpusPerReplica;
  const budgetMs = transferShare * (pool.ttftLimitMs ?? pool.now.ttftMs);
  const network = needNetwork(
    bytesPerRequest,
    budgetMs,
    requestsPerSecond / Math.max(1, Math.min(prefillReplicas, decodeReplicas)),
  );
  const ttftMs = pool.idleTtftMs / (1 - prefillUtilisation / 2) + network.transferMs;
  const saved = replicas * pool.gpusPerReplica - gpus;
  const worthIt = replicas >= 3 && saved >= leastSaving * replicas * pool.gpusPerReplica;
  const verdict = worthIt
    ? `It saves ${saved} of ${replicas * pool.gpusPerReplica} GPUs`
    : replicas < 3
      ? `With ${replicas} ${replicas === 1 ? "replica" : "replicas"} under load it is not worth its router and its network`
      : `It takes ${gpus} GPUs instead of ${replicas * pool.gpusPerReplica}, which is not worth its router and its network`;
  return {
    kind: "disaggregation",
    worthIt,
    reason:
      `${prefillReplicas} prefill and ${decodeReplicas} decode replicas would keep long prompts from holding up answers. ` +
      `${verdict}. A prompt of ${inputTokens} tokens hands over ${gigabytes(bytesPerRequest)} of KV cache; ` +
      `within ${Math.round(budgetMs)} ms that needs ${network.linkGbps} Gbit/s of RDMA between the nodes ` +
      `(plain TCP at 25 Gbit/s: ${Math.round(network.overTcpMs)} ms).`,
    network,
    ttftMs,
    tokensPerSecondPerUser: decodeOnly.tokensPerSecondPerUser,
    prefillReplicas,
    decodeReplicas,
    gpus,
  };
}

/** The engine's own cache: it hits where the same replica saw the prefix before, so the router must send it there. */
function reusePrefix(pool: OptionBasis, hitRate: number): ServingOption {
  const share = hitRate > 0 ? hitRate : 0.5;
  const [cold, warm] = hitRate > 0 ? [pool.without, pool.now] : [pool.now, pool.withPrefix(share)];
  const percent = `${Math.round(100 * share)}%`;
  const effect =
    `the first token comes after ${Math.round(warm.ttftMs)} ms instead of ${Math.round(cold.ttftMs)}, and a user gets ` +
    `${warm.tokensPerSecondPerUser.toFixed(0)} tokens/s instead of ${cold.tokensPerSecondPerUser.toFixed(0)}`;
  return {
    kind: "prefix-cache",
    worthIt: cold.ttftMs - warm.ttftMs > 0.1 * cold.ttftMs,
    reason:
      (hitRate > 0
        ? `The plan counts on ${percent} of each prompt being in the prefix cache: ${effect}. `
        : `Nothing is counted on; were ${percent} of each prompt in the prefix cache, ${effect}. `) +
      "The prefix lies in the KV cache of the replica that answered before: route a conversation to the same replica; no further network is needed.",
    network: null,
    ...warm,
  };
}

/** One cache for all replicas pays only where fetching a prefix is faster than computing it again. */
function sharePrefix(pool: OptionBasis, hitRate: number): ServingOption {
  const share = hitRate > 0 ? hitRate : 0.5;
  const bytesPerRequest = share * pool.promptCacheBytes;
  const computeMs = share * pool.idleTtftMs;
  const perReplica = pool.requestsPerSecond / Math.max(1, pool.replicas);
  const network = needNetwork(bytesPerRequest, Math.max(1, computeMs / 2), perReplica);
  return {
    kind: "shared-prefix-cache",
    worthIt: pool.replicas >= 3 && share >= 0.3 && pool.inputTokens >= 8192,
    reason:
      `A cache that all replicas share would fetch ${gigabytes(bytesPerRequest)} for a request instead of computing it again in ` +
      `${Math.round(computeMs)} ms. To halve that it needs ${network.linkGbps} Gbit/s of RDMA a node; it pays with several replicas and ` +
      "long prefixes, as agents have them.",
    network,
  };
}

function needNetwork(bytesPerRequest: number, budgetMs: number, requestsPerSecond: number): NetworkNeed {
  const forOne = (bytesPerRequest * 8) / (budgetMs / 1000) / 1e9;
  // Half of the link at most, so that transfers do not queue behind each other.
  const sustained = (2 * requestsPerSecond * bytesPerRequest * 8) / 1e9;
  const gbps = Math.max(forOne, sustained);
  const linkGbps = linkSpeeds.find((speed) => speed >= gbps) ?? Math.ceil(gbps / 3200) * 3200;
  return {
    kind: "RDMA (InfiniBand or RoCE)",
    gbps,
    linkGbps,
    bytesPerRequest,
    transferMs: ((bytesPerRequest * 8) / (linkGbps * 1e9)) * 1000,
    overTcpMs: (bytesPerRequest / tcpBytesPerSecond) * 1000,
  };
}

function gigabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(2)} GB` : `${(bytes / 1e6).toFixed(0)} MB`;
}
