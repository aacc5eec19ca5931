import { type XmlElement, descendantsOf, elementOf, elementsOf } from "../xml-tree.ts";

/** What a reader needs of an OpenDocument file's styles: which named style is behind an automatic one, and a few properties. */
export type OdfStyles = {
  /** The style's own name and those it is made from, nearest first. */
  chainOf(styleName: string | undefined): string[];
  /** Whether this level (from 1) of a list style counts its items. */
  isNumbered(listStyleName: string | undefined, level: number): boolean;
  /** Whether a slide of this style is not shown. */
  isHidden(styleName: string | undefined): boolean;
  /** The page styles that a text begins pages with. */
  pageStylesIn(body: XmlElement | undefined): Set<string>;
};

export function readOdfStyles(content: XmlElement, styles: XmlElement | undefined): OdfStyles {
  const groups = [
    elementOf(styles, "styles"),
    elementOf(styles, "automatic-styles"),
    elementOf(content, "automatic-styles"),
  ];
  const parents = new Map<string, string>();
  const numbered = new Map<string, Set<number>>();
  const hidden = new Set<string>();
  const pages = new Map<string, string>();
  for (const group of groups) {
    for (const style of elementsOf(group)) {
      const name = style.attributes["style:name"];
      if (name === undefined) continue;
      if (style.name === "list-style") {
        const levels = elementsOf(style, "list-level-style-number")
          // A level without a number format shows nothing in front of its items.
          .filter((level) => (level.attributes["style:num-format"] ?? "") !== "")
          .map((level) => Number(level.attributes["text:level"]));
        numbered.set(name, new Set(levels));
      } else if (style.name === "style") {
        const parent = style.attributes["style:parent-style-name"];
        if (parent !== undefined) parents.set(name, parent);
        const page = style.attributes["style:master-page-name"] ?? "";
        if (page !== "") pages.set(name, page);
        const properties = descendantsOf(style, "drawing-page-properties")[0];
        if (properties?.attributes["presentation:visibility"] === "hidden") hidden.add(name);
      }
    }
  }
  const chainOf = (styleName: string | undefined) => {
    const chain: string[] = [];
    // A style that is its own ancestor ends the walk.
    for (let name = styleName; name !== undefined && !chain.includes(name); name = parents.get(name)) chain.push(name);
    return chain;
  };
  return {
    chainOf,
    isNumbered: (listStyleName, level) => numbered.get(listStyleName ?? "")?.has(level) === true,
    pageStylesIn(body) {
      const used = new Set<string>();
      const walk = (element: XmlElement): void => {
        const { "text:style-name": text, "table:style-name": table } = element.attributes;
        for (const style of [text, table]) if (style !== undefined) used.add(style);
        elementsOf(element).forEach(walk);
      };
      if (body !== undefined && pages.size > 0) walk(body);
      return new Set(
        [...used].flatMap((style) =>
          chainOf(style)
            .flatMap((name) => pages.get(name) ?? [])
            .slice(0, 1),
        ),
      );
    },
    isHidden: (styleName) => hidden.has(styleName ?? ""),
  };
}
