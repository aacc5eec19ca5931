import { oncePerPart } from "../once-per-part.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Draft } from "../sections.ts";
import { type XmlElement, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { commentDraft } from "./comment-draft.ts";

/** The comments in a part that slides refer to, each followed by the answers to it. */
export function readSlideComments(office: OoxmlPackage): (part: string) => Draft[] {
  const authors = readAuthors(office);
  const draftsOf = (comment: XmlElement): Draft[] => {
    const said = elementOf(comment, "text") ?? elementOf(comment, "txBody");
    const draft = commentDraft(authors.get(comment.attributes["authorId"] ?? "") ?? "", linesOf(said));
    const answers = elementsOf(elementOf(comment, "replyLst"), "reply").flatMap(draftsOf);
    return draft === null ? answers : [draft, ...answers];
  };
  return oncePerPart((part) => {
    const root = office.beside("Comments on a slide", () => office.tree(part));
    return elementsOf(root, "cm").flatMap(draftsOf);
  });
}

/** Who wrote comments, by the presentation's ids: numbers in older files, GUIDs in newer ones. */
function readAuthors(office: OoxmlPackage): Map<string, string> {
  const parts = office
    .relationships(office.mainPart)
    .filter(({ type }) => type === "commentAuthors" || type === "authors");
  const authors = parts.flatMap(({ target }) =>
    elementsOf(office.beside("Who wrote comments", () => office.tree(target))),
  );
  return new Map(authors.map(({ attributes }) => [attributes["id"] ?? "", attributes["name"] ?? ""]));
}

function linesOf(said: XmlElement | undefined): string {
  const paragraphs = elementsOf(said, "p");
  return paragraphs.length === 0 ? textOf(said) : paragraphs.map(textOf).join("\n");
}
