import { assertNever, isAnnealError } from "@anneal/core/errors";
import { openChildInput } from "@anneal/processes/child-input";
import { readPageFacts } from "./page-facts.ts";
import type { PageReply, PageRequest } from "./page-messages.ts";
import { parseSitemap } from "./parse-sitemap.ts";

/**
 * The process in which a crawl's pages are read, started by createPageReader. What no parser expects ends it, and costs the
 * page that did it.
 */
const send = process.send?.bind(process);
if (send === undefined) throw new Error("page-reader-child.ts is started by a crawl, not by hand.");

process.on("disconnect", () => process.exit());
const readInput = openChildInput();
process.on("message", (request: PageRequest) => void answer(request).then((reply) => send(reply)));

async function answer({ read, sizeBytes }: PageRequest): Promise<PageReply> {
  const text = new TextDecoder().decode(await readInput(sizeBytes));
  try {
    switch (read) {
      case "page":
        return { read, facts: readPageFacts(text) };
      case "feed": {
        // Few crawls meet one.
        const { parseFeed } = await import("./feed.ts");
        return { read, urls: parseFeed(text) };
      }
      case "sitemap":
        return { read, sitemap: parseSitemap(text) };
      default:
        return assertNever(read);
    }
  } catch (error) {
    if (!isAnnealError(error)) throw error;
    const { code, message, action } = error;
    return { read: "nothing", error: { code, message, action } };
  }
}
