const elements =
  "a abbr b big br cite code dfn div em font h1 h2 h3 h4 h5 h6 i kbd mark nobr p q s samp small span strike strong sub sup tt u var wbr";
const markup = new RegExp(String.raw`</?(${elements.replaceAll(" ", "|")})(?:\s[^<>]*)?/?>`, "giu");
const breaks = /^(?:br|div|p|h\d)$/iu;

/**
 * A title of HTML as people read it. In the `title` element everything but references is text to a browser, so that tags which
 * a generator leaves in it would be shown.
 * @param title the element's text, references resolved
 * @param html the document: markup that is written with references ("&lt;b&gt;") is what the title speaks of, and stays
 */
export function plainTitle(title: string, html: string): string {
  if (!title.includes("<")) return title;
  const written = new Set(sourceOf(html).match(markup));
  return title
    .replace(markup, (tag, name: string) => (written.has(tag) ? (breaks.test(name) ? " " : "") : tag))
    .replace(/\s+/gu, " ")
    .trim();
}

/** Of the first title element, as it is written. Each search goes through the document once, whatever stands in it. */
function sourceOf(html: string): string {
  const start = html.search(/<title[\s>]/iu);
  if (start < 0) return "";
  const rest = html.slice(start);
  const end = rest.search(/<\/title/iu);
  return end < 0 ? rest : rest.slice(0, end);
}
