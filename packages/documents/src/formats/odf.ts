import { inflateParts, openZip, partOf } from "../archive.ts";
import { documentError } from "../document-errors.ts";
import { inspectXml } from "../inspect-xml.ts";
import type { ParseLimits } from "../limits.ts";
import { readBeside } from "../read-beside.ts";
import type { Parsed } from "../sections.ts";
import { elementOf, parseXmlTree, textOf } from "../xml-tree.ts";
import { odfHeadersAndFooters } from "./odf-headers-footers.ts";
import { readOdfStyles } from "./odf-styles.ts";
import { parseOdp } from "./odp.ts";
import { parseOds } from "./ods.ts";
import { parseOdt } from "./odt.ts";
import { type RunningLine, runningDrafts } from "./running-lines.ts";

const wanted = new Set(["content.xml", "styles.xml", "meta.xml", "META-INF/manifest.xml"]);

/** Any OpenDocument file; the body of its content says which it is, whatever its name says. */
export async function parseOdf(bytes: Uint8Array, limits: ParseLimits): Promise<Parsed> {
  const zip = await openZip(bytes, limits);
  const names = zip.entries.map((entry) => entry.fileName);
  if (names.includes("encrypted-package")) throw encrypted();
  const archive = await inflateParts(zip, (name) => wanted.has(name));
  const decoder = new TextDecoder();
  // An encrypted part looks like any other until the manifest is asked; old manifests declare a document type.
  const manifest = decoder.decode(partOf(archive, "META-INF/manifest.xml"));
  if (/<(?:[\w-]+:)?encryption-data[\s/>]/u.test(manifest)) throw encrypted();
  const text = (name: string) => {
    const part = partOf(archive, name);
    return part === undefined ? undefined : decoder.decode(inspectXml(part, name, limits));
  };
  const tree = (name: string) => {
    const content = text(name);
    return content === undefined ? undefined : parseXmlTree(content, name, limits.maxXmlDepth + 1);
  };
  const content = text("content.xml");
  if (content === undefined) {
    throw documentError("DOCUMENT_DAMAGED", "The OpenDocument file has no content.xml; it is incomplete.");
  }
  const macros = names.some((name) => /^(?:Basic|Scripts)\/./u.test(name));
  const warnings = macros ? ["The document's macros were ignored."] : [];
  const meta = readBeside("The document's own title", warnings, () => tree("meta.xml"));
  const title = textOf(elementOf(meta, "meta", "title"))
    .replace(/\s+/gu, " ")
    .trim();
  const styles = readBeside("The document's styles", warnings, () => tree("styles.xml"));
  const parsed = parseBody(content, styles, limits);
  return {
    title: parsed.drafts.find((draft) => draft.kind === "title")?.text ?? (title === "" ? null : title),
    ...parsed,
    warnings: [...warnings, ...parsed.warnings],
  };
}

function parseBody(
  content: string,
  styles: ReturnType<typeof parseXmlTree> | undefined,
  limits: ParseLimits,
): Omit<Parsed, "title"> {
  const kind = /<office:body\b[^>]*>\s*<office:([a-z]+)/u.exec(content)?.[1];
  // A sheet can hold millions of cells: it is streamed, while texts and slides are small enough for a tree.
  if (kind === "spreadsheet") {
    const { pageStyles, ...parsed } = parseOds(content, limits);
    return withRunningLines(parsed, odfHeadersAndFooters(styles, pageStyles));
  }
  const root = parseXmlTree(content, "content.xml", limits.maxXmlDepth + 1);
  const body = elementOf(root, "body");
  const named = readOdfStyles(root, styles);
  if (kind === "text") {
    const text = elementOf(body, "text");
    const running = odfHeadersAndFooters(styles, named.pageStylesIn(text));
    return withRunningLines(parseOdt(text, named, limits), running);
  }
  if (kind === "presentation") return parseOdp(elementOf(body, "presentation"), named, limits);
  throw documentError(
    "DOCUMENT_UNSUPPORTED",
    "The file is an OpenDocument file, but neither a text, a spreadsheet nor a presentation.",
  );
}

function withRunningLines(parsed: Omit<Parsed, "title">, running: readonly RunningLine[]): Omit<Parsed, "title"> {
  return { ...parsed, drafts: [...parsed.drafts, ...runningDrafts(running)] };
}

function encrypted(): Error {
  return documentError("DOCUMENT_ENCRYPTED", "The document is protected by a password.");
}
