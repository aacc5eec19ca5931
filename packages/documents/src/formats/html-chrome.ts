import { appendAll } from "../append-all.ts";
import type { Draft } from "../sections.ts";
import { type Node, type Tag, attribute, collapse, flatText, inlineText, isHidden, isTag } from "./html-tree.ts";

/** What page makers call the end of a page and what stands there. */
const footers = /^(?:(?:site|page|main|global)?[-_]?footer|colophon|contentinfo|copy-?right|last-?mod(?:ified)?)$/iu;
/** What they call the line under a logo. Below a heading it may be the summary of what follows. */
const slogans = /^(?:(?:site|page)[-_]?)?(?:tagline|slogan|motto)$/iu;
/** What they call lists of links; a restaurant's menu is none, so links must make up most of it. */
const menus =
  /^(?:(?:main|sub|top|side|site|page|search|mobile|global)?[-_]?(?:menu|menubar|nav|links)|nosearch|no-search|masthead|(?:site|page|global)[-_]?header|sidebar|social(?:[-_]links)?|share(?:[-_]links)?)$/iu;

/** What they call a table of contents and its lines: links into the page, whose headings say the same. */
const contentsNames = /^(?:[a-z]+[-_])?toc[-_]?\p{N}{0,2}$/iu;

/** A block of more than this is not looked at: chrome is short, and nested blocks must not be read again and again. */
const maxChromeChars = 6000;
const maxChromeNodes = 1500;
/** A line of this many words outside links is prose, wherever it stands. */
const minProseWords = 20;

/**
 * Whether an element is furniture of the page: a footer, the slogan under a logo, a menu or a table of contents, by its tag, role or class. One
 * that holds a heading, code, a table of data or a line of prose is text, whatever it is called.
 * @param page whether a heading stands above it, so that a slogan is part of the text, and the page's name: what holds a
 * line that says the same holds its title.
 */
export function isFurniture(tag: Tag, page: { opened: boolean; title: string }): boolean {
  const role = attribute(tag, "role") ?? "";
  const names = `${attribute(tag, "class") ?? ""} ${attribute(tag, "id") ?? ""} ${role}`.split(/\s+/u);
  if (tag.tagName === "body" || tag.tagName === "html") return false;
  const isFooter = tag.tagName === "footer" || names.some((name) => footers.test(name));
  const isSlogan = !page.opened && names.some((name) => slogans.test(name));
  const isMenu = names.some((name) => menus.test(name));
  const isContents = names.some((name) => contentsNames.test(name)) && isShort(tag) && staysInPage(tag);
  if (!(isFooter || isSlogan || isMenu || isContents) || !isShort(tag)) return false;
  const text = inlineText(tag, 0);
  const title = collapse(page.title).toLowerCase();
  if (title !== "" && text.split("\n").some((line) => collapse(line).toLowerCase() === title)) return false;
  const unlinked = inlineText(tag, 0, (child) => child.tagName === "a");
  if (unlinked.split("\n").some((line) => wordsIn(line) >= minProseWords)) return false;
  return (
    (isFooter && !isWithinText(tag)) || isSlogan || ((isMenu || isContents) && wordsIn(unlinked) * 2 <= wordsIn(text))
  );
}

const wordsIn = (text: string): number => text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;

/** Small, and without what only a text has. */
function isShort(tag: Tag): boolean {
  let chars = 0;
  let nodes = 0;
  const pending: Node[] = [...tag.childNodes];
  while (pending.length > 0) {
    const node = pending.pop()!;
    nodes += 1;
    if (nodes > maxChromeNodes || chars > maxChromeChars) return false;
    if (node.nodeName === "#text" && "value" in node) chars += node.value.length;
    if (!isTag(node) || isHidden(node)) continue;
    if (/^(?:h[1-6]|pre|th|blockquote|article|main)$/u.test(node.tagName)) return false;
    appendAll(pending, node.childNodes);
  }
  return chars <= maxChromeChars;
}

/** The footer of an article or a quotation names its author or source. */
function isWithinText(tag: Tag): boolean {
  for (let up = tag.parentNode; up !== null && "tagName" in up; up = up.parentNode) {
    if (/^(?:article|blockquote|figure|main|section|li)$/u.test(up.tagName)) return true;
  }
  return false;
}

/** What a walk found out about the blocks that it read. */
export type LinkBlocks = {
  /** Lists in which every item is nothing but a link, and paragraphs that are. */
  linked: ReadonlySet<Draft>;
  /** Of these the lists that lead to places in the same page: its table of contents. */
  contents: ReadonlySet<Draft>;
};

/**
 * Menus and tables of contents of pages that name no <nav>: lists of links above the first heading, the single link before
 * such a list, and the slogan and single links above the last menu. What stands between that and the heading may be the
 * title. A page without headings, or with nothing but links, is left as it is.
 * @param title the page's own name: a block that says the same is no slogan.
 */
export function withoutMenus(drafts: readonly Draft[], { linked, contents }: LinkBlocks, title: string): Draft[] {
  const start = drafts.findIndex(({ kind }) => kind === "heading" || kind === "title");
  const isList = (draft: Draft | undefined) => draft?.kind === "list" && linked.has(draft);
  if (start === -1 || drafts.slice(start + 1).every((draft) => linked.has(draft))) return [...drafts];
  const lastMenu = drafts.slice(0, start).findLastIndex((draft) => isList(draft) && !contents.has(draft));
  const named = title.toLowerCase();
  const isSlogan = ({ text }: Draft) => {
    const said = text.toLowerCase();
    return wordsIn(said) <= maxSloganWords && !/\p{N}/u.test(said) && !named.includes(said) && !said.includes(named);
  };
  return drafts.filter((draft, index) => {
    if (index >= start || !(draft.kind === "list" || draft.kind === "paragraph")) return true;
    if (draft.kind === "list") return !isList(draft);
    const isLink = linked.has(draft) && (index < lastMenu || isList(drafts[index + 1]));
    return !(isLink || (index < lastMenu && isSlogan(draft)));
  });
}
const maxSloganWords = 8;

/**
 * The rows of links that begin and end a page and lead around its site, where nothing names them: paragraphs of nothing but
 * links above the first heading, and after all else. A page of which little would be left is such a list itself.
 */
export function withoutLinkRows(drafts: readonly Draft[], linkRows: ReadonlySet<Draft>): Draft[] {
  const start = drafts.findIndex(({ kind }) => kind === "heading" || kind === "title");
  const end = drafts.findLastIndex((draft) => !linkRows.has(draft)) + 1;
  const kept = drafts.filter((draft, index) => !linkRows.has(draft) || (index > start && index < end));
  const wordsOf = (some: readonly Draft[]) => some.reduce((sum, { text }) => sum + wordsIn(text), 0);
  return wordsOf(kept) * 2 > wordsOf(drafts) ? kept : [...drafts];
}

/** When the page, not what it says, was last changed, and whose copyright it is: the lines that end a page. */
const colophon =
  /^(?=.*\p{N})(?:(?:this|the) )?(?:web ?)?(?:page|site|website) (?:was |has been )?(?:last |lastly )?(?:modified|updated|changed|edited|generated|created)\b|^(?:©|\(c\)|copyright (?:©|\(c\)|\p{N}{4}))|^all rights reserved\b|^(?:diese )?(?:seite|website) (?:wurde )?zuletzt\b|^(?:back to )?top(?: of page)?$/iu;
const maxColophonWords = 20;

/** Leaves out up to three lines at the end that speak of the page itself. */
export function withoutColophon(drafts: readonly Draft[]): Draft[] {
  let end = drafts.length;
  while (end > 1 && drafts.length - end < 3) {
    const { kind, text } = drafts[end - 1]!;
    const line = collapse(text);
    if (kind !== "paragraph" || wordsIn(line) > maxColophonWords || !colophon.test(line)) break;
    end -= 1;
  }
  return drafts.slice(0, end);
}

/** Whether all the links of a block that lead anywhere lead into the page. */
export function staysInPage(block: Tag): boolean {
  const hrefs: string[] = [];
  const pending: Node[] = [...block.childNodes];
  while (pending.length > 0) {
    const node = pending.pop()!;
    if (!isTag(node)) continue;
    const href = attribute(node, "href");
    if (node.tagName === "a" && href !== undefined) hrefs.push(href);
    appendAll(pending, node.childNodes);
  }
  return hrefs.length > 0 && hrefs.every((href) => href.startsWith("#"));
}

/** Whether a short block is nothing but links. */
export function isAllLinks(tag: Tag): boolean {
  return (
    isShort(tag) &&
    collapse(flatText(tag)) !== "" &&
    collapse(inlineText(tag, 0, (child) => child.tagName === "a")) === ""
  );
}
