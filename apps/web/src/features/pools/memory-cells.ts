export const cellCount = 48;

type Booked = { key: string; bookedBytes: number; measuredBytes: number | null };

/** A cell stands for the same share of the node's memory; `measured` says that the booking really uses it. */
export type Cell = { bookingKey: string | null; measured: boolean };

/**
 * A node's memory as cells, filled from the left by what is booked. Every booking gets at least one cell, however
 * small, and what is booked beyond the node's memory has none to get.
 */
export function memoryCells(memoryBytes: number, bookings: readonly Booked[], count = cellCount): Cell[] {
  const cells: Cell[] = [];
  for (const { key, bookedBytes, measuredBytes } of bookings) {
    const booked = Math.max(1, Math.round((bookedBytes / memoryBytes) * count));
    const used =
      measuredBytes === null ? 0 : Math.min(booked, Math.max(1, Math.round((measuredBytes / memoryBytes) * count)));
    for (let index = 0; index < booked && cells.length < count; index += 1)
      cells.push({ bookingKey: key, measured: index < used });
  }
  while (cells.length < count) cells.push({ bookingKey: null, measured: false });
  return cells;
}
