import { SaxesParser } from "saxes";
import { z } from "zod";

/**
 * The addresses that a feed names, as written: of its entries, and of its next page.
 * RSS 2.0 (https://www.rssboard.org/rss-specification), RSS 1.0 (https://web.resource.org/rss/1.0/spec), Atom
 * (RFC 4287, paging by RFC 5005) and JSON Feed (https://www.jsonfeed.org/version/1.1/).
 *
 * @returns null for anything else
 */
export function parseFeed(text: string): string[] | null {
  const start = text.trimStart();
  return start.startsWith("{") ? parseJsonFeed(start) : start.startsWith("<") ? parseXmlFeed(start) : null;
}

const jsonFeedSchema = z.looseObject({
  version: z.string().startsWith("https://jsonfeed.org/version/"),
  items: z.array(z.looseObject({ url: z.string().optional(), external_url: z.string().optional() })),
  next_url: z.string().optional(),
});

function parseJsonFeed(text: string): string[] | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  const feed = jsonFeedSchema.safeParse(json);
  if (!feed.success) return null;
  const { items, next_url: next } = feed.data;
  return [...items.map((item) => item.url ?? item.external_url), next].filter((url) => url !== undefined);
}

const roots = new Set(["rss", "feed", "RDF"]);
const entries = new Set(["item", "entry"]);

function parseXmlFeed(text: string): string[] | null {
  const urls: string[] = [];
  const path: string[] = [];
  let isPermalink = false;
  let words = "";
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => {
    const local = localName(name);
    path.push(local);
    words = "";
    const inEntry = entries.has(path.at(-2) ?? "");
    if (local === "guid") isPermalink = attributes["isPermaLink"] !== "false";
    if (local !== "link" || attributes["href"] === undefined) return;
    const rel = attributes["rel"] ?? "alternate";
    if ((inEntry && rel === "alternate") || (!inEntry && rel === "next")) urls.push(attributes["href"]);
  });
  parser.on("text", (part) => (words += part));
  parser.on("cdata", (part) => (words += part));
  parser.on("closetag", () => {
    const inEntry = entries.has(path.at(-2) ?? "");
    const isAddress =
      path.at(-1) === "link" || (path.at(-1) === "guid" && isPermalink && /^https?:/.test(words.trim()));
    if (inEntry && isAddress && words.trim() !== "") urls.push(words.trim());
    path.pop();
  });
  // Many feeds are a little broken and still name their pages. Entities of a DTD stay unknown, so that none can grow.
  parser.on("error", () => {});
  let root: string | undefined;
  parser.on("opentagstart", ({ name }) => (root ??= localName(name)));
  try {
    parser.write(escapeAmpersands(text)).close();
  } catch {
    return null;
  }
  return root === undefined || !roots.has(root) ? null : [...new Set(urls)];
}

/** A bare "&", the usual mistake in feeds, would swallow what follows. */
function escapeAmpersands(text: string): string {
  return text.replace(/<!\[CDATA\[[\s\S]*?(?:\]\]>|$)|&(?!(?:#\d+|#x[\da-f]+|[a-z]\w*);)/gi, (part) =>
    part === "&" ? "&amp;" : part,
  );
}

function localName(name: string): string {
  return name.replace(/^.*:/, "");
}
