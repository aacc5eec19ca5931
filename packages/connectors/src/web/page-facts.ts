import { plainTitle } from "@anneal/core/document/plain-title";
import type { DefaultTreeAdapterTypes } from "parse5";
import { feedTypes, vagueFeedTypes } from "./feed-types.ts";
import { readMainText } from "./main-text.ts";
import { maxFeeds, maxLinks } from "./page-limits.ts";
import { parsePage } from "./parse-page.ts";
import { readRobotsRules } from "./robots-rules.ts";

/** What a crawl needs to know of a page; what is learnt from it is extracted later, from the bytes. */
export type PageFacts = {
  title: string | null;
  /** As written; relative to `base`. Also what stands in its frames, and where it sends its reader on. */
  links: string[];
  /** There are more. */
  hasMoreLinks: boolean;
  /** Feeds that the page names, as written. */
  feeds: string[];
  /** The document's own base address, as written. */
  base: string | null;
  canonical: string | null;
  noindex: boolean;
  nofollow: boolean;
  /** What a reader could see, white space collapsed. */
  text: string;
  /** What it is about: the text of its main part, for telling whether it changed. */
  mainText: string;
  language: string | null;
  scripts: number;
  /** Somebody is asked to sign in. */
  passwordFields: number;
};

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const invisible = new Set(["script", "style", "noscript", "template", "head", "svg", "iframe"]);

export function readPageFacts(html: string): PageFacts {
  const facts: PageFacts = {
    title: null,
    links: [],
    hasMoreLinks: false,
    feeds: [],
    base: null,
    canonical: null,
    noindex: false,
    nofollow: false,
    text: "",
    mainText: "",
    language: null,
    scripts: 0,
    passwordFields: 0,
  };
  const document = parsePage(html);
  const words: string[] = [];
  // A stack of its own: a page of a hundred thousand nested elements must not overflow ours.
  const waiting: { node: Node; visible: boolean }[] = [{ node: document, visible: true }];
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
  if (facts.title !== null) facts.title = plainTitle(facts.title, html) || null;
  facts.text = collapse(words.join(" "));
  const mainText = readMainText(document);
  // Whoever calls everything an advertisement has no main part.
  facts.mainText = mainText.length * 10 >= facts.text.length ? mainText : facts.text;
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
    case "area":
      return addLink(attribute(element, "href"), facts);
    case "frame":
    case "iframe":
      return addLink(attribute(element, "src"), facts);
    case "link":
      return readLink(element, facts);
    case "meta":
      if (/^refresh$/i.test(attribute(element, "http-equiv") ?? "")) {
        addLink(refreshTarget(attribute(element, "content") ?? ""), facts);
      }
      if (/^(robots|annealbot)$/i.test(attribute(element, "name") ?? "")) {
        const rules = readRobotsRules(attribute(element, "content"));
        facts.noindex ||= rules.noindex;
        facts.nofollow ||= rules.nofollow;
      }
      return;
    case "html":
      facts.language ??= attribute(element, "lang");
      return;
    case "input":
      if (/^password$/i.test(attribute(element, "type") ?? "")) facts.passwordFields += 1;
      return;
    case "script":
      if (!/json|template|text\/(?!javascript)/i.test(attribute(element, "type") ?? "")) facts.scripts += 1;
  }
}

function addLink(href: string | null, facts: PageFacts): void {
  if (href === null) return;
  if (facts.links.length < maxLinks) facts.links.push(href);
  else facts.hasMoreLinks = true;
}

/** "5; url=/next", https://html.spec.whatwg.org/multipage/semantics.html#shared-declarative-refresh-steps */
function refreshTarget(content: string): string | null {
  const target = /^\s*[\d.]*\s*[;,\s]\s*(?:url\s*=\s*)?(.+)$/is.exec(content.slice(0, maxRefreshChars))?.[1]?.trim();
  return target?.replace(/^(["'])([^"']*).*$/s, "$2") ?? null;
}
const maxRefreshChars = 2000;

function readLink(element: Element, facts: PageFacts): void {
  const rel = attribute(element, "rel")?.toLowerCase().split(/\s+/) ?? [];
  const href = attribute(element, "href");
  if (href === null) return;
  if (rel.includes("canonical")) facts.canonical ??= href;
  else if (rel.includes("alternate")) {
    const type = attribute(element, "type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    const isFeed = feedTypes.has(type) || vagueFeedTypes.has(type);
    if (isFeed && facts.feeds.length < maxFeeds) facts.feeds.push(href);
  }
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
