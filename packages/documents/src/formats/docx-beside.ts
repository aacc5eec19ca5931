import { posix } from "node:path";
import { partOf } from "../archive.ts";
import { documentError } from "../document-errors.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import { readBeside } from "../read-beside.ts";
import type { WordDocument, WordNode } from "./docx-comments.ts";

/** What mammoth reads beside a document's text, by its relationship to it. */
const besides = {
  styles: "The document's styles",
  numbering: "The numbering of lists",
  footnotes: "Footnotes",
  endnotes: "Endnotes",
  comments: "Comments",
} as const;

type Parts = ReadonlyMap<string, Uint8Array>;
type Convert = (parts: Parts) => Promise<string>;

/**
 * A Word document as HTML, without the parts beside its text that are damaged. mammoth forgives more than the standard does, and
 * fails as a whole at what it does not: so once it has failed, each of these parts is tried beside an empty text.
 */
export async function convertUndamaged(office: OoxmlPackage, parts: Parts, convert: Convert): Promise<string> {
  for (const { name, what } of partsBeside(office)) office.beside(what, () => partOf(office.archive, name));
  const converted = await convert(parts).then(
    (html) => ({ html }),
    (error: unknown) => ({ error }),
  );
  if ("html" in converted) return converted.html;
  const undamaged = await withoutDamaged(office, parts, convert);
  if (undamaged.size === parts.size) throw converted.error;
  return convert(undamaged);
}

async function withoutDamaged(office: OoxmlPackage, parts: Parts, convert: Convert): Promise<Parts> {
  const candidates = partsBeside(office).filter(({ name }) => parts.has(name));
  const left = new Map(parts);
  for (const { name } of candidates) left.delete(name);
  for (const { name, what } of candidates) {
    const part = parts.get(name)!;
    try {
      await convert(new Map(left).set(office.mainPart, emptyText).set(name, part));
      left.set(name, part);
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/\s+/gu, " ").slice(0, 120) : "unknown";
      office.beside(what, () => {
        throw documentError("DOCUMENT_DAMAGED", `${name} cannot be read (${reason}).`);
      });
    }
  }
  return left;
}

const emptyText = Buffer.from(
  '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body/></w:document>',
);

/** The relationships, and the parts by them or, where nothing refers to one, by the name that mammoth then takes. */
function partsBeside(office: OoxmlPackage): { name: string; what: string }[] {
  // What cannot be found without them is told where it is looked for.
  const targets = readBeside("Relationships", [], () => office.relationships(office.mainPart)) ?? [];
  const parts = Object.entries(besides).flatMap(([type, what]) => {
    const related = targets.filter((target) => target.type === type).map(({ target }) => target);
    return [...new Set([...related, `word/${type}.xml`])].map((name) => ({ name, what }));
  });
  const { dir, base } = posix.parse(office.mainPart);
  return [{ name: `${dir}/_rels/${base}.rels`, what: "What the document refers to" }, ...parts];
}

/** mammoth fails at a reference to a note that is not there. */
export function withKnownNotes(document: WordDocument): WordDocument {
  const known = <T extends WordNode>(node: T): T => {
    if (node.children === undefined) return node;
    const isKnown = (child: WordNode) => child.type !== "noteReference" || document.notes.resolve(child) !== null;
    return { ...node, children: node.children.filter(isKnown).map(known) };
  };
  return known(document);
}
