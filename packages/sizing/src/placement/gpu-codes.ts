/**
 * The state of one GPU as one number, so that a node's GPUs sort, compare and copy cheaply: 0 to 1000 are its free
 * thousandths; from 2000 it is partitioned, and the bits above 2000 are its used memory slices (eight, as MIG has them).
 */
export const freeGpu = 1000;
const partitioned = 2000;
const memorySlices = 8;
const everySlice = 0xff;

/** Thousandths that a share may take; none of a partitioned GPU. */
export const freeMilli = (code: number) => (code <= freeGpu ? code : 0);

/** How an instance may lie on a GPU: `size` slices from one of `count` starts, each a multiple of `size`. */
export type MigShape = { size: number; count: number };

/**
 * The slices of a profile. NVIDIA's MIG user guide ("Supported MIG profiles", placements) lists, for 80 GB cards, starts
 * 0-6 for 1g.10gb, 0, 2, 4 for 2g.20gb, 0 and 4 for 3g.40gb, 0 for 4g.40gb and 7g.80gb: multiples of the size, as many as
 * fit on one GPU. The size is the profile's part of the memory in eighths.
 */
export function describeMigProfile(profile: { memoryGib: number; perGpu: number }, gpuMemoryGib: number): MigShape {
  const eighths = Math.round((profile.memoryGib / Math.max(gpuMemoryGib, 1e-9)) * memorySlices);
  return { size: Math.min(Math.max(eighths, 1), Math.floor(memorySlices / profile.perGpu)), count: profile.perGpu };
}

const sliceMask = (start: number, size: number) => ((1 << size) - 1) << start;

/** Instances of that shape that the GPU can still take. */
export function countMigInstances(code: number, { size, count }: MigShape): number {
  if (code === freeGpu) return count;
  if (code < partitioned) return 0;
  let fitting = 0;
  for (let start = 0; start < size * count; start += size)
    if (!((code - partitioned) & sliceMask(start, size))) fitting += 1;
  return fitting;
}

export function isMigSliceFree(code: number, start: number, size: number): boolean {
  return code === freeGpu || (code >= partitioned && ((code - partitioned) & sliceMask(start, size)) === 0);
}

export function takeMigSlice(code: number, start: number, size: number): number {
  return partitioned + ((code >= partitioned ? code - partitioned : 0) | sliceMask(start, size));
}

/** With its last instance gone a GPU is whole again. */
export function returnMigSlice(code: number, start: number, size: number): number {
  const used = (code - partitioned) & ~sliceMask(start, size) & everySlice;
  return used === 0 ? freeGpu : partitioned + used;
}

/**
 * Where the next instance goes: on the fullest GPU that has room, at the start whose half of the GPU is fullest, so that
 * whole GPUs and large profiles stay possible. The choice depends on the codes alone, not on their order.
 */
export function chooseMigSlice(
  codes: ArrayLike<number>,
  from: number,
  to: number,
  shape: MigShape,
): { at: number; start: number } | null {
  let best: { at: number; start: number } | null = null;
  let bestScore = -1;
  for (let at = from; at < to; at++) {
    const code = codes[at]!;
    if (code !== freeGpu && code < partitioned) continue;
    const used = code === freeGpu ? 0 : code - partitioned;
    for (let start = 0; start < shape.size * shape.count; start += shape.size) {
      if (used & sliceMask(start, shape.size)) continue;
      const half = used & (start < 4 ? 0x0f : 0xf0);
      const score = (countBits(used) * 8 + countBits(half)) * 256 + everySlice - used;
      if (score > bestScore) [bestScore, best] = [score, { at, start }];
    }
  }
  return best;
}

function countBits(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest > 0; rest &= rest - 1) bits += 1;
  return bits;
}
