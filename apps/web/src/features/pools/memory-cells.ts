export const cellCount = 48;

type Booked = { id: string; predictedBytes: number; measuredBytes: number | null };

/** A cell stands for the same share of the node's memory; `measured` says that the booking really uses it. */
export type Cell = { bookingId: string | null; measured: boolean };

/**
 * A node's memory as cells, filled from the left by what is booked. Every booking gets at least one cell, however
 * small, and what is booked beyond the node's memory has none to get.
 */
export function memoryCells(memoryBytes: number, bookings: readonly Booked[], count = cellCount): Cell[] {
  const cells: Cell[] = [];
  for (const { id, predictedBytes, measuredBytes } of bookings) {
    const booked = Math.max(1, Math.round((predictedBytes / memoryBytes) * count));
    const used =
      measuredBytes === null ? 0 : Math.min(booked, Math.max(1, Math.round((measuredBytes / memoryBytes) * count)));
    for (let index = 0; index < booked && cells.length < count; index += 1)
      cells.push({ bookingId: id, measured: index < used });
  }
  while (cells.length < count) cells.push({ bookingId: null, measured: false });
  return cells;
}
