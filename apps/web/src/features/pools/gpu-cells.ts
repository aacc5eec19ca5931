type Held = { key: string; gpus: readonly { index: number; milli: number }[] };

/** One GPU of a node: who holds how many thousandths of it, in the order of the bookings, and what is left. */
export type GpuCell = { index: number; parts: { bookingKey: string; milli: number }[]; freeMilli: number };

/** A node's GPUs, each filled by what runs on it; MIG instances and shares are parts of one GPU. */
export function gpuCells(count: number, bookings: readonly Held[]): GpuCell[] {
  return Array.from({ length: count }, (_, index) => {
    const parts = bookings.flatMap(({ key, gpus }) => {
      const milli = gpus.filter((gpu) => gpu.index === index).reduce((sum, gpu) => sum + gpu.milli, 0);
      return milli === 0 ? [] : [{ bookingKey: key, milli }];
    });
    const held = parts.reduce((sum, { milli }) => sum + milli, 0);
    return { index, parts, freeMilli: Math.max(0, 1000 - held) };
  });
}

/** [0, 1, 2, 5] whole -> "GPUs 0–2, 5"; a share is said with its size: "0.25 of GPU 3". */
export function describeGpus(gpus: readonly { index: number; milli: number }[]): string {
  const whole = gpus.filter(({ milli }) => milli === 1000).map(({ index }) => index);
  const shares = gpus.filter(({ milli }) => milli !== 1000);
  const ranges = runsOf(whole.toSorted((left, right) => left - right)).map(([from, to]) =>
    from === to ? `${from}` : `${from}–${to}`,
  );
  return [
    ...(ranges.length === 0 ? [] : [`${whole.length === 1 ? "GPU" : "GPUs"} ${ranges.join(", ")}`]),
    ...shares.map(({ index, milli }) => `${milli / 1000} of GPU ${index}`),
  ].join(", ");
}

function runsOf(sorted: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const value of sorted) {
    const last = runs.at(-1);
    if (last && value === last[1] + 1) last[1] = value;
    else runs.push([value, value]);
  }
  return runs;
}
