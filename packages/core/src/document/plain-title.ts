import { type Token, Tokenizer, TokenizerMode } from "parse5";

const elements =
  "a abbr b big br cite code dfn div em font h1 h2 h3 h4 h5 h6 i kbd mark nobr p q s samp small span strike strong sub sup tt u var wbr";
/** Each with a value, so that "a<b and c>d" is none. */
const attributes = String.raw`(?:\s+[\w:-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))*`;
const markup = new RegExp(String.raw`</?(${elements.replaceAll(" ", "|")})${attributes}\s*/?>`, "giu");
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

/** A page begins with its title; one that has none is not to hold up the worker. */
const maxSourceChars = 1_000_000;

/** Of the first title element that is not empty, as it is written: what a comment or a script calls so is none. */
function sourceOf(html: string): string {
  let start = -1;
  let source = "";
  const endAt = (offset: number | undefined) => {
    if (start >= 0) source = html.slice(start, offset);
    start = -1;
    if (source.trim() !== "") tokenizer.pause();
  };
  const ignore = () => {};
  const tokenizer = new Tokenizer(
    { sourceCodeLocationInfo: true },
    {
      onStartTag({ tagName, location }: Token.TagToken) {
        tokenizer.state = textModes.get(tagName) ?? TokenizerMode.DATA;
        if (tagName === "title") start = location?.endOffset ?? -1;
      },
      onEndTag: ({ location }: Token.TagToken) => endAt(location?.startOffset),
      onEof: () => endAt(html.length),
      onComment: ignore,
      onDoctype: ignore,
      onCharacter: ignore,
      onNullCharacter: ignore,
      onWhitespaceCharacter: ignore,
    },
  );
  tokenizer.write(html.slice(0, maxSourceChars), true);
  return source;
}

/** Elements in which a browser sees no tags but the one that ends them. */
const textModes = new Map([
  ["title", TokenizerMode.RCDATA],
  ["textarea", TokenizerMode.RCDATA],
  ["script", TokenizerMode.SCRIPT_DATA],
  ["plaintext", TokenizerMode.PLAINTEXT],
  ...["iframe", "noembed", "noframes", "noscript", "style", "xmp"].map(
    (name) => [name, TokenizerMode.RAWTEXT] as const,
  ),
]);
