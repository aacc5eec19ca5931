import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Draft } from "../sections.ts";
import { descendantsOf, elementOf, elementsOf, textOf, type XmlElement } from "../xml-tree.ts";
import { commentDraft } from "./comment-draft.ts";

/** Who wrote in threads, by the workbook's ids. */
export function readPersons(office: OoxmlPackage): Map<string, string> {
  const part = office.relationships(office.mainPart).find(({ type }) => type === "person")?.target;
  const root = part === undefined ? undefined : office.beside("Who wrote comments", () => office.tree(part));
  return new Map(
    elementsOf(root, "person").map(({ attributes }) => [attributes["id"] ?? "", attributes["displayName"] ?? ""]),
  );
}

/** Threads, then notes, with the cells that they are on. A thread is kept as a note as well, which tells older programs so. */
export function sheetComments(office: OoxmlPackage, sheetPart: string, persons: ReadonlyMap<string, string>): Draft[] {
  const targets = office.beside("Comments of a sheet", () => office.relationships(sheetPart)) ?? [];
  const rootsOf = (wanted: string) =>
    targets.flatMap(({ type, target }) =>
      type === wanted ? (office.beside("Comments of a sheet", () => office.tree(target)) ?? []) : [],
    );
  const threads = rootsOf("threadedComment").flatMap((root) =>
    elementsOf(root, "threadedComment").map((comment) => {
      const author = persons.get(comment.attributes["personId"] ?? "") ?? "";
      return commentDraft(author, textOf(elementOf(comment, "text")), comment.attributes["ref"]);
    }),
  );
  const notes = rootsOf("comments").flatMap((root) => {
    const authors = elementsOf(elementOf(root, "authors"), "author").map(textOf);
    return elementsOf(elementOf(root, "commentList"), "comment").map((comment) => {
      const author = authors[Number(comment.attributes["authorId"])] ?? "";
      if (threads.length > 0 && author.startsWith("tc=")) return null;
      const said = noteText(comment);
      // Excel begins a note with its author's name.
      const own = author !== "" && said.startsWith(`${author}:`) ? said.slice(author.length + 1) : said;
      return commentDraft(author, own, comment.attributes["ref"]);
    });
  });
  return [...threads, ...notes].filter((draft) => draft !== null);
}

/** Without the readings of Japanese words. */
function noteText(comment: XmlElement): string {
  const text = elementOf(comment, "text");
  return [text, ...descendantsOf(text, "r")].flatMap((part) => elementsOf(part, "t").map(textOf)).join("");
}
