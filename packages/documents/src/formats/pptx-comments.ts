import type { OoxmlPackage, Relationship } from "../ooxml-package.ts";
import type { Draft } from "../sections.ts";
import { type XmlElement, elementOf, elementsOf, textOf } from "../xml-tree.ts";
import { commentDraft } from "./comment-draft.ts";

/** Who wrote comments, by the presentation's ids: numbers in older files, GUIDs in newer ones. */
export function readCommentAuthors(office: OoxmlPackage): Map<string, string> {
  const parts = office
    .relationships(office.mainPart)
    .filter(({ type }) => type === "commentAuthors" || type === "authors");
  const authors = parts.flatMap(({ target }) =>
    elementsOf(office.beside("Who wrote comments", () => office.tree(target))),
  );
  return new Map(authors.map(({ attributes }) => [attributes["id"] ?? "", attributes["name"] ?? ""]));
}

/** A slide's comments, each followed by the answers to it. */
export function slideComments(
  office: OoxmlPackage,
  targets: readonly Relationship[],
  authors: ReadonlyMap<string, string>,
): Draft[] {
  const draftsOf = (comment: XmlElement): Draft[] => {
    const said = elementOf(comment, "text") ?? elementOf(comment, "txBody");
    const draft = commentDraft(authors.get(comment.attributes["authorId"] ?? "") ?? "", linesOf(said));
    const answers = elementsOf(elementOf(comment, "replyLst"), "reply").flatMap(draftsOf);
    return draft === null ? answers : [draft, ...answers];
  };
  return targets
    .filter(({ type }) => type === "comments")
    .flatMap(({ target }) =>
      elementsOf(
        office.beside("Comments on a slide", () => office.tree(target)),
        "cm",
      ),
    )
    .flatMap(draftsOf);
}

function linesOf(said: XmlElement | undefined): string {
  const paragraphs = elementsOf(said, "p");
  return paragraphs.length === 0 ? textOf(said) : paragraphs.map(textOf).join("\n");
}
