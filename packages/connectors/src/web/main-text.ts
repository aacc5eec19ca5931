import type { DefaultTreeAdapterTypes } from "parse5";

type Node = DefaultTreeAdapterTypes.Node;
type Element = DefaultTreeAdapterTypes.Element;

const invisible = new Set(["script", "style", "noscript", "template", "head", "svg", "iframe", "dialog"]);
/** Around the content, wherever it stands. */
const furniture = new Set(["nav", "footer", "button", "select", "menu"]);
/** Around the content when it is not in it: an article has a header, and a manual its notes in an aside. */
const outerFurniture = new Set(["header", "aside"]);
const furnitureRoles = /^(?:navigation|banner|contentinfo|search|complementary|status|timer|dialog)$/;
/** What page makers call advertisements, notices about cookies and counters. Whole words of a class or an id. */
const furnitureNames =
  /^(?:ads?|adsense|adsbygoogle|ad-(?:slot|unit|container|banner|wrapper)|advert(?:s|isement)?|sponsored|promo|promoted|cookie-?(?:banner|notice|consent)|consent|breadcrumbs?|related|recommended|share|social|comments?-count|view-?count|page-?views|clock|last-?mod(?:ified)?|build-?info)$/i;

/**
 * What a page is about, to tell whether it changed: the text of its main part, without navigation, advertisements,
 * forms and footers. It need not be beautiful, only the same as long as the content is; what is learnt from the page
 * later is extracted by others. White space is collapsed.
 */
export function readMainText(document: Node): string {
  const whole = textOf(document);
  const main = findMain(document).map(textOf).join(" ").trim();
  // A <main> that holds next to nothing is a mistake of the page's template.
  return main.length * 4 >= whole.length ? main : whole;
}

/** The elements that say of themselves that they are the content; of nested ones the outer. */
function findMain(document: Node): Element[] {
  const mains: Element[] = [];
  const articles: Element[] = [];
  const waiting: Node[] = [document];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if ("tagName" in node && (node.tagName === "main" || attributeOf(node, "role") === "main")) {
      mains.push(node);
      continue;
    }
    if ("tagName" in node && node.tagName === "article") articles.push(node);
    pushChildren(node, waiting);
  }
  // Many articles are a list of teasers.
  return mains.length > 0 ? mains : articles.length === 1 ? articles : [];
}

function textOf(root: Node): string {
  const words: string[] = [];
  // A stack of its own: a page of a hundred thousand nested elements must not overflow ours.
  const waiting: { node: Node; inside: boolean }[] = [{ node: root, inside: false }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { node } = next;
    if (node.nodeName === "#text" && "value" in node) words.push(node.value);
    const inside = next.inside || node.nodeName === "main" || node.nodeName === "article";
    if ("tagName" in node && node !== root && isLeftOut(node, inside)) continue;
    if (!("childNodes" in node)) continue;
    for (let index = node.childNodes.length - 1; index >= 0; index -= 1) {
      waiting.push({ node: node.childNodes[index]!, inside });
    }
  }
  return words.join(" ").replace(/\s+/g, " ").trim();
}

function isLeftOut(element: Element, inside: boolean): boolean {
  const { tagName } = element;
  if (invisible.has(tagName) || furniture.has(tagName) || (!inside && outerFurniture.has(tagName))) return true;
  if (furnitureRoles.test(attributeOf(element, "role") ?? "")) return true;
  if (tagName === "body" || tagName === "main" || tagName === "article") return false;
  const names = `${attributeOf(element, "class") ?? ""} ${attributeOf(element, "id") ?? ""}`;
  return names.split(/\s+/).some((name) => furnitureNames.test(name));
}

function pushChildren(node: Node, waiting: Node[]): void {
  if (!("childNodes" in node)) return;
  for (let index = node.childNodes.length - 1; index >= 0; index -= 1) waiting.push(node.childNodes[index]!);
}

function attributeOf(element: Element, name: string): string | null {
  return element.attrs.find((candidate) => candidate.name === name)?.value ?? null;
}
