import type { KnownItems } from "@anneal/core/connect/change";
import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { isIncluded } from "../path-filter.ts";
import type { AddressTable } from "./links-behind.ts";
import { loadPage, type PageLoader, type PageOutcome } from "./load-page.ts";
import { decodeMemory, type PageMemory } from "./page-memory.ts";
import { pathOf } from "./site-url.ts";

/** One visited address. `wanted`: a document where it is one, and not only on the way to others. */
export type Visit = { url: string; outcome: PageOutcome; memory: PageMemory | null; wanted: boolean };

export type Visitor = {
  loader: PageLoader;
  known: KnownItems;
  addresses: AddressTable;
  /** What a person entered: when it was never there, they should hear of it. */
  named: ReadonlySet<string>;
};

/** Never rejects: a page that was fetched ahead may be left behind when the consumer stops. */
export async function visitPage(visitor: Visitor, url: string): Promise<Visit> {
  const memory = await visitor.known.fingerprintOf(url).then(decodeMemory, () => null);
  const wanted = isIncluded(pathOf(url), visitor.loader.config);
  const outcome = await loadOutcome(visitor, url, memory).catch((error: unknown): PageOutcome => {
    return { type: "failed", error: isAnnealError(error) ? error : unreadable(url, error) };
  });
  const isMisnamed = outcome.type === "gone" && memory === null && visitor.named.has(url);
  return { url, outcome: isMisnamed ? { type: "failed", error: misnamed(url) } : outcome, memory, wanted };
}

async function loadOutcome(visitor: Visitor, url: string, memory: PageMemory | null): Promise<PageOutcome> {
  const table = memory === null ? null : await visitor.addresses();
  const isConditional = memory?.links?.every((link) => table?.has(link)) ?? false;
  return loadPage(visitor.loader, url, memory, isConditional);
}

function misnamed(url: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `"${url}" does not exist.`, {
    action: "Correct it in the source's settings, or leave it out.",
  });
}

function unreadable(url: string, cause: unknown): AnnealError {
  return new AnnealError("DOCUMENT_DAMAGED", `"${url}" could not be read.`, {
    action: "Open it in a browser; if it works there, report this page.",
    cause,
  });
}
