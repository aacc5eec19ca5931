/**
 * Rows of a sheet without its empty columns, of which there may be thousands before a cell: while it is read, cells stand in the
 * order in which their columns first had any text.
 */
export class SheetColumns {
  private readonly slots = new Map<number, number>();

  /** @returns where `pack` puts a column's cells; undefined as long as none had any text */
  slotOf(column: number): number | undefined {
    return this.slots.get(column);
  }

  /** @param row what has text, by column */
  pack(row: ReadonlyMap<number, string>): string[] {
    const packed: string[] = [];
    for (const [column, cell] of row) {
      const slot = this.slots.get(column) ?? this.slots.size;
      this.slots.set(column, slot);
      packed[slot] = cell;
    }
    return Array.from(packed, (cell) => cell ?? "");
  }

  /** Packed rows in the order of their columns. */
  inOrder(rows: readonly string[][]): string[][] {
    const slots = [...this.slots].toSorted(([a], [b]) => a - b).map(([, slot]) => slot);
    return rows.map((row) => (row.length === 0 ? row : slots.map((slot) => row[slot] ?? "")));
  }
}
