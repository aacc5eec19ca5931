import { SizingError } from "../sizing-error.ts";
import type { ClusterInput, MemberPlacement } from "./cluster-snapshot.ts";
import { createCluster } from "./create-cluster.ts";
import { type Cluster, internShape } from "./cluster.ts";
import { countShape, refreshDemand } from "./learned-demand.ts";
import { createRandom } from "./random.ts";
import type { RequestShape } from "./node-type.ts";
import { giveBack, retake, type Taken, takeShape } from "./packing.ts";
import { findBestNode, findBestNodeAmong } from "./slot-costs.ts";
import { parsePlacementRequest, type PlacementRequest } from "./placement-request.ts";

export type BatchPlacement = {
  placed: { id: string; placement: MemberPlacement }[];
  refused: string[];
  placedGpuMilli: number;
  demandGpuMilli: number;
};

type Item = { id: string; shape: RequestShape; milli: number; taken: Taken | null };

/**
 * Places a set of single-pod requests that is known as a whole, for the most GPUs placed: unlike `decide` it knows what
 * else is to come and may change its mind, so it is for planning and for batches, not for a queue. It packs in two orders,
 * keeps the better one and improves it by large neighbourhood search (Shaw, "Using constraint programming and local search
 * methods to solve vehicle routing problems", 1998): it empties a few nodes and packs what ran there together with what
 * was refused anew, keeping whatever is not worse. The same seed gives the same answer; `rounds` bounds the work.
 * @throws SizingError INVALID_REQUEST for malformed input and for gangs of more than one pod
 */
export function placeAll(
  input: ClusterInput,
  requests: readonly PlacementRequest[],
  { seed = 1, rounds = 2000 }: { seed?: number; rounds?: number } = {},
): BatchPlacement {
  const cluster = createCluster(input);
  const items = requests.map((each) => readItem(cluster, each));
  for (const { shape } of items) {
    countShape(cluster.learned, shape, 1);
  }
  refreshDemand(cluster.packing, cluster.learned);
  const bySize = items.toSorted(
    (left, right) => right.milli - left.milli || right.shape.cpuMilli - left.shape.cpuMilli,
  );
  const first = packInOrder(cluster, items);
  const inFileOrder = items.map(({ taken }) => taken);
  for (const item of items) take(cluster, item, null);
  const second = packInOrder(cluster, bySize);
  if (first > second) {
    for (const item of items) take(cluster, item, null);
    items.forEach((item, i) => take(cluster, item, inFileOrder[i]!));
  }
  improve(cluster, items, createRandom(seed), rounds);
  const placed = items.filter(({ taken }) => taken !== null);
  return {
    placed: placed.map(({ id, taken }) => ({
      id,
      placement: { member: 0, node: cluster.nodes[taken!.node]!.name, gpus: taken!.gpus },
    })),
    refused: items.filter(({ taken }) => taken === null).map(({ id }) => id),
    placedGpuMilli: placed.reduce((sum, { milli }) => sum + milli, 0),
    demandGpuMilli: items.reduce((sum, { milli }) => sum + milli, 0),
  };
}

function readItem(cluster: Cluster, input: PlacementRequest): Item {
  const request = parsePlacementRequest(input);
  const [member] = request.gang;
  if (request.gang.length !== 1 || member?.count !== 1) {
    throw new SizingError(
      "INVALID_REQUEST",
      `The request ${request.id} is a gang of several pods; a batch takes single pods.`,
      { id: request.id },
    );
  }
  const shape = internShape(cluster, member, request);
  return { id: request.id, shape, milli: shape.gpus * (shape.migProfile === null ? shape.gpuMilli : 1), taken: null };
}

function take(cluster: Cluster, item: Item, taken: Taken | null): void {
  if (item.taken !== null) giveBack(cluster.packing, item.taken);
  item.taken = taken;
  if (taken !== null) retake(cluster.packing, taken);
}

function packInOrder(cluster: Cluster, order: readonly Item[]): number {
  let milli = 0;
  for (const [i, item] of order.entries()) {
    if (i % 256 === 0) refreshDemand(cluster.packing, cluster.learned);
    const node = findBestNode(cluster.packing, item.shape, null);
    if (node === -1) continue;
    item.taken = takeShape(cluster.packing, node, item.shape);
    milli += item.milli;
  }
  return milli;
}

const refusedTried = 48;

function improve(
  cluster: Cluster,
  items: readonly Item[],
  random: ReturnType<typeof createRandom>,
  rounds: number,
): void {
  const { packing } = cluster;
  const onNode = cluster.nodes.map(() => new Set<Item>());
  for (const item of items) if (item.taken !== null) onNode[item.taken.node]!.add(item);
  let refused = items.filter(({ taken, milli }) => taken === null && milli > 0);
  const gpuNodes = cluster.nodes.flatMap(({ gpus, lost, cordoned }, node) =>
    gpus > 0 && !lost && !cordoned ? [node] : [],
  );
  for (let round = 0; round < rounds && refused.length > 0 && gpuNodes.length > 0; round++) {
    if (round % 1000 === 999) refreshDemand(packing, cluster.learned);
    // Nodes with GPUs to spare are emptied more often: of a few drawn, the one with most free.
    const nodes = new Set<number>();
    const wanted = Math.min(gpuNodes.length, 1 + random.below(4));
    while (nodes.size < wanted) {
      const drawn = [random.pick(gpuNodes), random.pick(gpuNodes), random.pick(gpuNodes)];
      nodes.add(
        nodes.size === 0
          ? drawn.reduce((best, each) => (freeOn(cluster, each) > freeOn(cluster, best) ? each : best))
          : drawn[0]!,
      );
    }
    const ruined = [...nodes].flatMap((node) => [...onNode[node]!]);
    const before = ruined.map((item) => item.taken!);
    for (const item of ruined) take(cluster, item, null);
    const offset = random.below(refused.length);
    const newcomers = Array.from(
      { length: Math.min(refusedTried, refused.length) },
      (_, i) => refused[(offset + i) % refused.length]!,
    );
    const order = orderRandomly([...ruined, ...newcomers], random);
    const among = [...nodes];
    let gained = 0;
    for (const item of order) {
      const node = findBestNodeAmong(packing, item.shape, null, among);
      if (node !== -1) item.taken = takeShape(packing, node, item.shape);
      if (node !== -1) gained += item.milli;
    }
    const had = ruined.reduce((sum, { milli }) => sum + milli, 0);
    const lostCpuWork = ruined.some(({ milli, taken }) => milli === 0 && taken === null);
    if (gained < had || lostCpuWork) {
      for (const item of order) take(cluster, item, null);
      ruined.forEach((item, i) => take(cluster, item, before[i]!));
      continue;
    }
    for (const node of nodes) onNode[node]!.clear();
    for (const item of order) if (item.taken !== null) onNode[item.taken.node]!.add(item);
    const newly = new Set(order);
    refused = [
      ...refused.filter((item) => !newly.has(item)),
      ...order.filter(({ taken, milli }) => taken === null && milli > 0),
    ];
  }
}

function freeOn(cluster: Cluster, node: number): number {
  const { packing } = cluster;
  let free = 0;
  for (let i = node * packing.stride; i < (node + 1) * packing.stride; i++)
    free += packing.codes[i]! <= 1000 ? packing.codes[i]! : 0;
  return free;
}

/** Large before small, with enough chance in it to try other orders; now and then by processors, or by chance alone. */
function orderRandomly(items: Item[], random: ReturnType<typeof createRandom>): Item[] {
  const kind = random.next();
  const spread = kind < 0.5 ? 0.3 : 1.5;
  const keyed = items.map((item) => {
    const size = kind < 0.8 ? item.milli : item.shape.cpuMilli;
    return { item, key: Math.log(size + 1) + spread * random.next() };
  });
  return keyed.sort((left, right) => right.key - left.key).map(({ item }) => item);
}
