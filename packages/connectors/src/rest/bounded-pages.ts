import { AnnealError } from "@anneal/core/errors";
import { SeenRefs } from "../seen-refs.ts";
import { repeatsItself, type ItemPage } from "./pages.ts";
import { parsePath, select } from "./path.ts";

/**
 * Passes on the pages of a listing that comes to an end. A service that does not know the parameter of a position sends its
 * first page for ever, and what it says of its items (when, how often they were read) may be another thing each time.
 *
 * What others write meanwhile pushes back what was read already, at most as much as was read: so much may come again in a
 * row, and as much once more for what they write while it does.
 *
 * @param tells the fields that tell one item of the list from the others
 * @param mostPages generous: a million pages of one item each would still be read
 * @throws AnnealError INVALID_INPUT
 */
export async function* boundPages(
  pages: AsyncIterable<ItemPage>,
  tells: readonly string[],
  mostPages = 1_000_000,
): AsyncIterable<ItemPage> {
  const keyOf = keysBy(tells);
  const met = new SeenRefs();
  let count = 0;
  let itemsWithNews = 0;
  let itemsWithout = 0;
  for await (const page of pages) {
    count += 1;
    if (count > mostPages) throw endless(mostPages);
    let isNew = false;
    for (const item of page.items) if (met.add(keyOf(item))) isNew = true;
    if (isNew) itemsWithNews += page.items.length;
    itemsWithout = isNew ? 0 : itemsWithout + page.items.length;
    if (itemsWithout > 2 * itemsWithNews) throw repeatsItself("items");
    yield page;
  }
}

function keysBy(tells: readonly string[]): (item: unknown) => string {
  const paths = tells.map(parsePath);
  return (item) => {
    const told = paths.map((path) => select(item, path));
    const isTold = told.every((value) => value !== undefined && value !== null && value !== "");
    // Where a field is not there, it is all that an item says that tells it from others.
    return JSON.stringify(isTold ? told : item);
  };
}

function endless(pages: number): AnnealError {
  return new AnnealError(
    "INVALID_INPUT",
    `The list does not end: it has more than ${pages.toLocaleString("en")} pages.`,
    { action: "Check the pagination, ask for larger pages, or for fewer items by a parameter." },
  );
}
