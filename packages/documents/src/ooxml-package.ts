import { posix } from "node:path";
import { type Archive, partOf, readArchive } from "./archive.ts";
import { documentError } from "./document-errors.ts";
import type { ParseLimits } from "./limits.ts";
import { readBeside } from "./read-beside.ts";
import { type XmlElement, elementOf, elementsOf, parseXmlTree, textOf } from "./xml-tree.ts";

export type Relationship = { id: string; type: string; target: string };

/** An Office file: its parts, and what the formats share (main part, relationships, core title, macros). */
export type OoxmlPackage = {
  archive: Archive;
  mainPart: string;
  title: string | null;
  warnings: string[];
  tree(partName: string): XmlElement | undefined;
  /** As `readBeside`, for what a part beside the main ones says; what is left out is told in `warnings`. */
  beside<T>(what: string, read: () => T): T | undefined;
  /** A part as text, for streaming. */
  text(partName: string): string | undefined;
  /** A part's internal relationships, targets as part names; external ones are left out and never fetched. */
  relationships(partName: string): Relationship[];
};

/** @throws AnnealError DOCUMENT_DAMAGED when the archive is not an Office file of any kind; see readArchive for others. */
export async function openOoxml(bytes: Uint8Array, limits: ParseLimits): Promise<OoxmlPackage> {
  const archive = await readArchive(bytes, limits);
  const text = (partName: string) => {
    const part = partOf(archive, partName);
    return part === undefined ? undefined : new TextDecoder().decode(part);
  };
  const tree = (partName: string) => {
    const content = text(partName);
    return content === undefined ? undefined : parseXmlTree(content, partName, limits.maxXmlDepth + 1);
  };
  const relationships = (partName: string): Relationship[] => {
    const folder = posix.dirname(partName);
    const root = tree(posix.join(folder, "_rels", `${posix.basename(partName)}.rels`));
    return elementsOf(root, "Relationship").flatMap(({ attributes }) => {
      const { Id: id = "", Type: type = "", Target: target = "", TargetMode: mode } = attributes;
      if (mode === "External") return [];
      const name = target.startsWith("/") ? target.slice(1) : posix.normalize(posix.join(folder, target));
      return [{ id, type: type.slice(type.lastIndexOf("/") + 1), target: name }];
    });
  };

  const mainPart = relationships("").find((relationship) => relationship.type === "officeDocument")?.target;
  if (mainPart === undefined || partOf(archive, mainPart) === undefined) {
    throw documentError("DOCUMENT_DAMAGED", "The Office file has no main part; it is incomplete.");
  }
  const warnings = archive.names.some((name) => /vbaProject\.bin$/iu.test(name))
    ? ["The document's macros were ignored."]
    : [];
  const beside = <T>(what: string, read: () => T) => readBeside(what, warnings, read);
  const core = relationships("").find((relationship) => relationship.type === "core-properties");
  const properties = core && beside("The document's own title", () => tree(core.target));
  const title = textOf(elementOf(properties, "title")).trim();
  return {
    archive,
    mainPart,
    title: title === "" ? null : title,
    warnings,
    tree,
    beside,
    text,
    relationships,
  };
}
