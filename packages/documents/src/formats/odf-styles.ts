import { type XmlElement, descendantsOf, elementOf, elementsOf } from "../xml-tree.ts";

/** What a reader needs of an OpenDocument file's styles: which named style is behind an automatic one, and a few properties. */
export type OdfStyles = {
  /** The style's own name and those it is made from, nearest first. */
  chainOf(styleName: string | undefined): string[];
  /** Whether this level (from 1) of a list style counts its items. */
  isNumbered(listStyleName: string | undefined, level: number): boolean;
  /** Whether a slide of this style is not shown. */
  isHidden(styleName: string | undefined): boolean;
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
        const properties = descendantsOf(style, "drawing-page-properties")[0];
        if (properties?.attributes["presentation:visibility"] === "hidden") hidden.add(name);
      }
    }
  }
  return {
    chainOf(styleName) {
      const chain: string[] = [];
      // A style that is its own ancestor ends the walk.
      for (let name = styleName; name !== undefined && !chain.includes(name); name = parents.get(name))
        chain.push(name);
      return chain;
    },
    isNumbered: (listStyleName, level) => numbered.get(listStyleName ?? "")?.has(level) === true,
    isHidden: (styleName) => hidden.has(styleName ?? ""),
  };
}
