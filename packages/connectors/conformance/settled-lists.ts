/**
 * Lists that a fake answers from. As anything may change between two answers, each is worked out anew for every one of them;
 * once nothing changes any more, as where a hundred thousand documents are only read, each is worked out once.
 */
export class SettledLists {
  /** Nothing changes from here on. */
  settled = false;
  readonly #kept = new Map<string, unknown>();

  /** @param name tells this list from all others of the fake */
  of<List>(name: string, workOut: () => List): List {
    if (!this.settled) return workOut();
    if (!this.#kept.has(name)) this.#kept.set(name, workOut());
    return this.#kept.get(name) as List;
  }
}
