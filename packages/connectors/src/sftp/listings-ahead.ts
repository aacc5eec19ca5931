/** So many folders' listings are asked for before their turn: small ones would each be waited for several times. */
export const foldersAhead = 8;
/** Of all depths together: those of a folder's siblings wait until all that lies in it was gone through. */
const heldListings = 64;
/** Of each so many entries are held, which OpenSSH sends at once; what lies behind them is asked for in its turn. */
const heldEntries = 100;

/** The listings of folders that are gone through one after the other. */
export type ListingsAhead<Entry> = {
  /** That these folders are to be listed next, as far as it is known; they may have been announced before. */
  announce(folders: readonly string[]): void;
  /** Its entries; what listing it fails with is thrown behind those that came before. */
  list(folder: string): AsyncIterable<Entry>;
};

/** @param list asks for a folder's entries */
export function createListingsAhead<Entry>(list: (folder: string) => AsyncIterable<Entry>): ListingsAhead<Entry> {
  const begun = new Map<string, AsyncIterable<Entry>>();
  return {
    announce(folders) {
      for (const folder of folders) {
        if (begun.size < heldListings && !begun.has(folder)) begun.set(folder, begin(list(folder)));
      }
    },
    list(folder) {
      const early = begun.get(folder);
      // Listed again, it is listed anew.
      begun.delete(folder);
      return early ?? list(folder);
    },
  };
}

function begin<Entry>(entries: AsyncIterable<Entry>): AsyncIterable<Entry> {
  const iterator = entries[Symbol.asyncIterator]();
  const held: Entry[] = [];
  const fill = async () => {
    while (held.length < heldEntries) {
      const next = await iterator.next();
      if (next.done === true) return;
      held.push(next.value);
    }
  };
  const filled = fill().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  return (async function* () {
    try {
      const failure = await filled;
      yield* held;
      if (failure !== null) throw failure.error;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
