import { posix } from "node:path";
import { appendAll } from "../append-all.ts";
import { type Zip, openZip } from "../archive.ts";
import { decodeText } from "../decode-text.ts";
import { countOf, documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { Draft, Parsed } from "../sections.ts";
import { type XmlElement, descendantsOf, elementOf, elementsOf, parseXmlTree, textOf } from "../xml-tree.ts";
import { parseHtml } from "./html.ts";

const containerPart = "META-INF/container.xml";

type Item = { path: string; mediaType: string; properties: string };

/** What an EPUB's package document says; paths are names inside the archive. */
type Book = {
  title: string | null;
  /** Chapters in reading order, the table of contents left out. */
  chapters: Item[];
  /** The part that names the chapters: EPUB 3's navigation document, else EPUB 2's NCX. */
  contents: Item | undefined;
};

/**
 * An EPUB book: its chapters in reading order. A chapter's elements have its path in the archive as their container; a
 * chapter that begins without a heading gets the name that the table of contents gives it.
 *
 * @throws AnnealError DOCUMENT_ENCRYPTED for a book with rights protection; see openZip for others.
 */
export async function parseEpub(bytes: Uint8Array, limits: ParseLimits): Promise<Parsed> {
  const zip = await openZip(bytes, limits);
  const tree = async (name: string) => {
    const part = await readPart(zip, name);
    return part === undefined ? undefined : parseXmlTree(decodeText(part).text, name, limits.maxXmlDepth);
  };
  const packagePath = descendantsOf(await tree(containerPart), "rootfile")[0]?.attributes["full-path"];
  const packageDocument = packagePath === undefined ? undefined : await tree(packagePath);
  if (packagePath === undefined || packageDocument === undefined) {
    throw documentError("DOCUMENT_DAMAGED", "The book names no package document; it is incomplete.");
  }
  const book = readPackage(packageDocument, packagePath);
  checkProtection(await tree("META-INF/encryption.xml"), book);

  const names =
    book.contents === undefined ? new Map<string, string>() : await readContents(zip, book.contents, limits);
  const drafts: Draft[] = book.title === null ? [] : [{ kind: "title", text: book.title, level: 1 }];
  const warnings: string[] = [];
  const missing: string[] = [];
  const read = new Set<string>();
  for (const chapter of book.chapters) {
    // A spine that names one chapter a thousand times makes a book out of nothing.
    if (read.has(chapter.path)) continue;
    read.add(chapter.path);
    const part = await readPart(zip, chapter.path);
    if (part === undefined) {
      missing.push(chapter.path);
      continue;
    }
    const decoded = decodeText(part);
    const parsed = parseHtml(withoutDeclaration(decoded.text), limits);
    for (const warning of [...decoded.warnings, ...parsed.warnings]) warnings.push(`${chapter.path}: ${warning}`);
    appendAll(drafts, chapterOf(parsed.drafts, names.get(chapter.path), chapter.path));
  }
  if (missing.length > 0) {
    warnings.push(`${countOf(missing.length, "chapter")} missing from the file: ${missing.slice(0, 5).join(", ")}.`);
  }
  return { title: book.title, drafts, warnings };
}

async function readPart(zip: Zip, name: string): Promise<Uint8Array | undefined> {
  const entry = zip.entries.find((candidate) => candidate.fileName === name);
  return entry === undefined ? undefined : zip.inflate(entry);
}

function readPackage(root: XmlElement, packagePath: string): Book {
  const title = textOf(elementOf(root, "metadata", "title"))
    .replace(/\s+/gu, " ")
    .trim();
  const items = new Map<string, Item>();
  for (const { attributes } of elementsOf(elementOf(root, "manifest"), "item")) {
    const { id = "", href = "", "media-type": mediaType = "", properties = "" } = attributes;
    items.set(id, { path: resolve(packagePath, href), mediaType, properties });
  }
  const spine = elementOf(root, "spine");
  const isContents = (item: Item) => item.properties.split(/\s+/u).includes("nav");
  const chapters = elementsOf(spine, "itemref").flatMap((reference) => {
    const item = items.get(reference.attributes["idref"] ?? "");
    // What is neither XHTML nor HTML (a picture, SVG) has no text of its own.
    return item === undefined || isContents(item) || !/html/u.test(item.mediaType) ? [] : [item];
  });
  const contents = [...items.values()].find(isContents) ?? items.get(spine?.attributes["toc"] ?? "");
  return { title: title === "" ? null : title, chapters, contents };
}

/** Obfuscated fonts are common and harm nobody; an encrypted chapter cannot be read. */
function checkProtection(encryption: XmlElement | undefined, book: Book): void {
  const locked = new Set(
    descendantsOf(encryption, "CipherReference").map(({ attributes }) => resolve("", attributes["URI"] ?? "")),
  );
  if (book.chapters.some((chapter) => locked.has(chapter.path))) {
    throw documentError("DOCUMENT_ENCRYPTED", "The book's chapters are encrypted (rights protection, DRM).");
  }
}

/** The name of each chapter in the table of contents, by its path; the first one that leads into a file counts. */
async function readContents(zip: Zip, contents: Item, limits: ParseLimits): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  const part = await readPart(zip, contents.path);
  if (part === undefined) return names;
  // Named entities such as &nbsp; are common in navigation documents and unknown to XML: names are not worth failing for.
  const text = decodeText(part)
    .text.replaceAll("&nbsp;", " ")
    .replaceAll(/&(?!#|amp;|lt;|gt;|quot;|apos;)/gu, "&amp;");
  let root: XmlElement;
  try {
    root = parseXmlTree(text, contents.path, limits.maxXmlDepth);
  } catch {
    return names;
  }
  const add = (target: string | undefined, name: string) => {
    const path = target === undefined ? "" : resolve(contents.path, target);
    const tidy = name.replace(/\s+/gu, " ").trim();
    if (path !== "" && tidy !== "" && !names.has(path)) names.set(path, tidy);
  };
  for (const nav of descendantsOf(root, "nav").filter((one) => (one.attributes["epub:type"] ?? "toc") === "toc")) {
    for (const link of descendantsOf(nav, "a")) add(link.attributes["href"], textOf(link));
  }
  for (const point of descendantsOf(root, "navPoint")) {
    add(elementOf(point, "content")?.attributes["src"], textOf(elementOf(point, "navLabel", "text")));
  }
  return names;
}

/** The book's title is the document's; what a chapter calls one is a heading. */
function chapterOf(drafts: readonly Draft[], name: string | undefined, container: string): Draft[] {
  const body = drafts.map((draft): Draft => ({
    ...draft,
    ...(draft.kind === "title" ? { kind: "heading", level: 1 } : {}),
    container,
  }));
  const [first] = body;
  if (first === undefined || first.kind === "heading" || name === undefined) return body;
  return [{ kind: "heading", text: name, level: 1, container }, ...body];
}

/** A path inside the archive; a fragment falls away, and a path that climbs out of it names nothing. */
function resolve(from: string, href: string): string {
  const target = href.split("#")[0] ?? "";
  let path = target;
  try {
    path = decodeURIComponent(target);
  } catch {
    // A stray percent sign stands for itself.
  }
  return posix.normalize(posix.join(posix.dirname(from), path));
}

/** HTML knows no processing instructions: an XML declaration would become a comment, or text before the document. */
function withoutDeclaration(text: string): string {
  return text.replace(/^\s*<\?xml[^>]*\?>/u, "");
}
