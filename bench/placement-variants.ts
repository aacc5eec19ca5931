/**
 * Lists of pods to place: those that were published, and variants derived from the default one the way Weng et al. describe
 * theirs (more work with several GPUs, more shares, constraints on models, more or less work without GPUs), each also
 * inflated: drawn at random until the demand is 130% of the GPUs, as in their Figure 7.
 */
import { createRandom } from "@anneal/sizing/placement/random";
import { gpusOf, type TracePod } from "@anneal/sizing/placement/trace";

export function deriveVariants(pods: readonly TracePod[]): Record<string, TracePod[]> {
  const without = pods.filter(({ gpus }) => gpus === 0);
  const several = pods.filter(({ gpus }) => gpus > 1);
  const shares = pods.filter(({ gpus, gpuMilli }) => gpus === 1 && gpuMilli < 1000);
  const others = pods.filter(({ gpus, gpuMilli }) => gpus > 1 || (gpus === 1 && gpuMilli === 1000));
  const models = [["G2"], ["T4"], ["P100"], ["V100M16", "V100M32"], ["G3"], ["V100M32"], ["G2", "P100"]];
  const variants: Record<string, TracePod[]> = {};
  for (const percent of [30, 50]) {
    const random = createRandom(percent);
    const list = [...pods];
    let [demand, ofSeveral] = [sumGpus(pods), sumGpus(several)];
    while (ofSeveral < (demand * percent) / 100) {
      const pod = random.pick(several);
      list.push(pod);
      demand += gpusOf(pod);
      ofSeveral += gpusOf(pod);
    }
    variants[`derived: ${percent}% of the GPUs in pods of several`] = list;
  }
  for (const percent of [40, 80, 100]) {
    const random = createRandom(percent + 1);
    variants[`derived: ${percent}% shares`] = pods.map((pod) =>
      pod.gpus === 0 ? pod : random.pick(random.chance(percent / 100) ? shares : others),
    );
  }
  for (const percent of [10, 33]) {
    const random = createRandom(percent + 2);
    variants[`derived: ${percent}% with a GPU model`] = pods.map((pod) =>
      pod.gpus > 0 && random.chance(percent / 100) ? { ...pod, gpuModels: random.pick(models) } : pod,
    );
  }
  for (const percent of [50, 250]) {
    const random = createRandom(percent + 3);
    const list = pods.filter(({ gpus }) => gpus > 0);
    for (let i = 0; i < (without.length * percent) / 100; i++)
      list.splice(random.below(list.length + 1), 0, random.pick(without));
    variants[`derived: ${percent}% of the pods without GPUs`] = list;
  }
  return Object.fromEntries(Object.entries(variants).map(([name, list]) => [name, rename(list)]));
}

/** First every pod of the list in random order, then pods drawn from it, until so many GPUs are asked for. */
export function inflate(pods: readonly TracePod[], gpus: number, seed: number): TracePod[] {
  const random = createRandom(seed);
  const order = pods.map((pod) => ({ pod, key: random.next() })).sort((left, right) => left.key - right.key);
  const list: TracePod[] = [];
  for (let demand = 0; demand < gpus; demand += gpusOf(list.at(-1)!))
    list.push(order[list.length]?.pod ?? random.pick(pods));
  return rename(list);
}

const rename = (pods: readonly TracePod[]) => pods.map((pod, i) => ({ ...pod, name: `pod-${i}` }));

export const sumGpus = (pods: readonly TracePod[]) => pods.reduce((sum, pod) => sum + gpusOf(pod), 0);
