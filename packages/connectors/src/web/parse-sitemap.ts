import { SaxesParser } from "saxes";

export type ParsedSitemap = { pages: string[]; sitemaps: string[] };

/** Feeds may stand in for sitemaps by the protocol; what they name is found where they are given as feeds. */
const roots = new Set(["urlset", "sitemapindex", "rss", "feed", "RDF"]);

/**
 * Also takes the plain-text form, one address a line.
 * @returns null for what is something else, such as a message of an error
 */
export function parseSitemap(text: string): ParsedSitemap | null {
  return text.trimStart().startsWith("<") ? parseXmlSitemap(text) : parsePlainSitemap(text);
}

function parsePlainSitemap(text: string): ParsedSitemap | null {
  const pages = text.split(/\s+/).filter((line) => /^https?:/.test(line));
  return pages.length === 0 && text.trim() !== "" ? null : { pages, sitemaps: [] };
}

function parseXmlSitemap(xml: string): ParsedSitemap | null {
  const result: ParsedSitemap = { pages: [], sitemaps: [] };
  const parser = new SaxesParser();
  const path: string[] = [];
  let text = "";
  const refuse = (): never => {
    throw new Error("This is no sitemap.");
  };
  parser.on("opentag", ({ name }) => {
    path.push(name.replace(/^.*:/, ""));
    if (path.length === 1 && !roots.has(path[0]!)) refuse();
    text = "";
  });
  parser.on("text", (part) => {
    text += part;
  });
  parser.on("cdata", (part) => {
    text += part;
  });
  parser.on("closetag", () => {
    // Only <url><loc> and <sitemap><loc>: image and video extensions have a loc of their own.
    if (path.at(-1) === "loc" && path.at(-2) === "url") result.pages.push(text.trim());
    if (path.at(-1) === "loc" && path.at(-2) === "sitemap") result.sitemaps.push(text.trim());
    path.pop();
  });
  parser.on("error", refuse);
  try {
    parser.write(xml).close();
  } catch {
    return null;
  }
  return result;
}
