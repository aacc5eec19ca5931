/** By how much the clocks of the portal's servers may differ: one may have rendered a page, and another hear of changes. */
export const clockSkewMs = 2_000;

/** When each table last changed, for whoever read before that. Times are a server's, in milliseconds. */
export class ChangeMemory {
  readonly #lastChanges = new Map<string, number>();

  note(tables: readonly string[], at: number): void {
    for (const table of tables) this.#lastChanges.set(table, at);
  }

  /** What may have changed after something was read. */
  since(readAt: number): string[] {
    return [...this.#lastChanges].flatMap(([table, at]) => (at >= readAt - clockSkewMs ? [table] : []));
  }
}
