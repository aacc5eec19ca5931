import type { KnownItems } from "@anneal/core/connect/change";
import type { PageOutcome } from "./load-page.ts";
import { digestLink, type PageMemory } from "./page-memory.ts";

/** Addresses by the short digests under which pages remember their links. */
export type AddressTable = () => Promise<Map<string, string>>;

/** Of known pages, and of what was visited and is no document; made at first need. */
export function addressTable(known: KnownItems, waypoints: readonly string[]): AddressTable {
  let table: Promise<Map<string, string>> | null = null;
  const build = async () => {
    const urls = new Map(waypoints.map((url) => [digestLink(url), url]));
    for await (const ref of known.refs()) urls.set(digestLink(ref), ref);
    return urls;
  };
  return () => (table ??= build());
}

/**
 * @param hasLed whether it is no document, and named pages in the crawl before
 * @returns `areAll`: false when pages may lie behind this one that nobody can name now
 */
export async function linksOf(
  outcome: PageOutcome,
  memory: PageMemory | null,
  hasLed: boolean,
  addresses: AddressTable,
): Promise<{ links: string[]; areAll: boolean }> {
  switch (outcome.type) {
    case "document":
    case "passage":
    case "feed":
      return { links: outcome.links, areAll: true };
    case "not-modified":
    case "failed": {
      if (memory === null) return { links: [], areAll: outcome.type === "failed" && !mayLead(outcome, hasLed) };
      const table = await addresses();
      const links = (memory.links ?? []).flatMap((link) => table.get(link) ?? []);
      return { links, areAll: links.length === memory.links?.length };
    }
    case "gone":
    case "skipped":
      return { links: [], areAll: true };
  }
}

/** A page that never opened to us has led nowhere before. */
function mayLead({ error, leads }: Extract<PageOutcome, { type: "failed" }>, hasLed: boolean): boolean {
  return leads ?? (error.retryable || hasLed);
}
