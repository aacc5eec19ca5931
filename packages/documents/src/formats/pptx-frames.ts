import type { Edges } from "../page-box.ts";
import { type XmlElement, elementOf, elementsOf } from "../xml-tree.ts";

/** In 60,000ths of a degree: a frame that is turned by this much covers the same place. */
const halfTurn = 180 * 60_000;
/** A shape's newer form and the one for programs that do not know it. */
const alternatives = new Set(["AlternateContent", "Choice", "Fallback"]);

type Place = (edges: Edges) => Edges;
export type FrameOf = (shape: XmlElement) => Edges | null;

/**
 * Where shapes stand on their slide, in the slide's own unit (EMU), groups opened. One that is turned is not among them: its
 * frame is not where it stands.
 *
 * @param inherited where a shape stands that does not say it itself; null where nothing else does
 */
export function framesOf(tree: XmlElement | undefined, inherited: FrameOf): Map<XmlElement, Edges> {
  const frames = new Map<XmlElement, Edges>();
  const add = (parent: XmlElement | undefined, place: Place) => {
    for (const child of elementsOf(parent)) {
      if (alternatives.has(child.name)) add(child, place);
      else if (child.name === "grpSp") {
        const inGroup = groupPlace(elementOf(child, "grpSpPr", "xfrm"));
        if (inGroup !== null) add(child, (edges) => place(inGroup(edges)));
      } else {
        const xfrm = elementOf(child, "spPr", "xfrm") ?? elementOf(child, "xfrm");
        const own = xfrm === undefined ? null : frameOf(xfrm, "off", "ext");
        const frame = xfrm === undefined ? inherited(child) : own && place(own);
        if (frame !== null) frames.set(child, frame);
      }
    }
  };
  add(tree, (edges) => edges);
  return frames;
}

/**
 * A group's shapes are placed in a frame of its own, which is then fitted into the group's; null where that cannot be told,
 * or where the group is turned or mirrored and they with it.
 */
function groupPlace(xfrm: XmlElement | undefined): Place | null {
  if (xfrm === undefined) return (edges) => edges;
  const isAsDrawn = ["rot", "flipH", "flipV"].every((name) => /^(?:0|false)?$/u.test(xfrm.attributes[name] ?? ""));
  const [outer, inner] = [frameOf(xfrm, "off", "ext"), frameOf(xfrm, "chOff", "chExt")];
  if (!isAsDrawn || outer === null || inner === null || inner.right <= inner.left || inner.bottom <= inner.top)
    return null;
  const across = (x: number) =>
    outer.left + ((x - inner.left) * (outer.right - outer.left)) / (inner.right - inner.left);
  const down = (y: number) => outer.top + ((y - inner.top) * (outer.bottom - outer.top)) / (inner.bottom - inner.top);
  return ({ left, top, right, bottom }) => ({
    left: across(left),
    top: down(top),
    right: across(right),
    bottom: down(bottom),
  });
}

function frameOf(xfrm: XmlElement | undefined, offset: string, extent: string): Edges | null {
  const [at, size] = [elementOf(xfrm, offset)?.attributes, elementOf(xfrm, extent)?.attributes];
  const [left, top] = [Number(at?.["x"]), Number(at?.["y"])];
  const [width, height] = [Number(size?.["cx"]), Number(size?.["cy"])];
  const isTurned = Number(xfrm?.attributes["rot"] ?? 0) % halfTurn !== 0;
  if (isTurned || ![left, top, width, height].every(Number.isFinite)) return null;
  return { left, top, right: left + width, bottom: top + height };
}
