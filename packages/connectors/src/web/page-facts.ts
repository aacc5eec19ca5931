import { parse, type DefaultTreeAdapterTypes } from "parse5";

/** What a crawl needs to know of a page; its main content is found later, from the bytes. */
export type PageFacts = {
  title: string | null;
  /** As written; relative to `base`. */
  links: string[];
  /** The document's own base address, as written. */
  base: string | null;
  canonical: string | null;
  noindex: boolean;
  nofollow: boolean;
  /** What a reader could see, white space collapsed. */
  text: string;
  scripts: number;
};

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const invisible = new Set(["script", "style", "noscript", "template", "head", "svg", "iframe"]);

/** A page has at most this many links that count; more is a listing of listings. */
const maxLinks = 5000;

export function readPageFacts(html: string): PageFacts {
  const facts: PageFacts = {
    title: null,
    links: [],
    base: null,
    canonical: null,
    noindex: false,
    nofollow: false,
    text: "",
    scripts: 0,
  };
  const words: string[] = [];
  // A stack of its own: a page of a hundred thousand nested elements must not overflow ours.
  const waiting: { node: Node; visible: boolean }[] = [{ node: parse(html), visible: true }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node, visible } = next;
    if (node.nodeName === "#text" && "value" in node && visible) words.push(node.value);
    if ("tagName" in node) readElement(node, facts);
    if (!("childNodes" in node)) continue;
    const childrenVisible = visible && !invisible.has(node.nodeName);
    for (let index = node.childNodes.length - 1; index >= 0; index -= 1) {
      waiting.push({ node: node.childNodes[index]!, visible: childrenVisible });
    }
  }
  facts.text = collapse(words.join(" "));
  return facts;
}

function readElement(element: Element, facts: PageFacts): void {
  switch (element.tagName) {
    case "title":
      facts.title ??=
        collapse(element.childNodes.map((child) => ("value" in child ? child.value : "")).join("")) || null;
      return;
    case "base":
      facts.base ??= attribute(element, "href");
      return;
    case "a":
    case "area": {
      const href = attribute(element, "href");
      if (href !== null && facts.links.length < maxLinks) facts.links.push(href);
      return;
    }
    case "link":
      if (attribute(element, "rel")?.toLowerCase().split(/\s+/).includes("canonical")) {
        facts.canonical ??= attribute(element, "href");
      }
      return;
    case "meta":
      if (/^(robots|annealbot)$/i.test(attribute(element, "name") ?? "")) {
        const rules = readRobotsRules(attribute(element, "content"));
        facts.noindex ||= rules.noindex;
        facts.nofollow ||= rules.nofollow;
      }
      return;
    case "script":
      if (!/json|template|text\/(?!javascript)/i.test(attribute(element, "type") ?? "")) facts.scripts += 1;
  }
}

/** The value of a robots meta element or an X-Robots-Tag header. */
export function readRobotsRules(value: string | null): { noindex: boolean; nofollow: boolean } {
  const rules = (value ?? "").toLowerCase().split(/[\s,:]+/);
  const none = rules.includes("none");
  return { noindex: none || rules.includes("noindex"), nofollow: none || rules.includes("nofollow") };
}

function attribute(element: Element, name: string): string | null {
  return element.attrs.find((candidate) => candidate.name === name)?.value ?? null;
}

function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

const littleTextChars = 250;

/** A shell that scripts fill: next to no text, and something to run. */
export function needsJavaScript(facts: PageFacts): boolean {
  return facts.scripts > 0 && facts.text.length < littleTextChars;
}
