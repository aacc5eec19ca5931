import { oncePerPart } from "../once-per-part.ts";
import type { OoxmlPackage } from "../ooxml-package.ts";
import type { Draft } from "../sections.ts";
import { descendantsOf, elementOf, elementsOf, textOf, type XmlElement } from "../xml-tree.ts";
import { commentDraft } from "./comment-draft.ts";

/** What a part says in threads and in notes, which begin with "tc=" where they only tell older programs of a thread. */
type Said = { threads: Draft[]; notes: { draft: Draft; isOfThread: boolean }[] };

/**
 * The comments of a workbook's sheets: threads, then notes, with the cells that they are on. A thread is kept as a note as well,
 * which tells older programs so.
 */
export function readSheetComments(office: OoxmlPackage): (sheetPart: string) => Draft[] {
  const persons = readPersons(office);
  const saidIn = oncePerPart((part): Said => {
    const root = office.beside("Comments of a sheet", () => office.tree(part));
    return { threads: threadsIn(root, persons), notes: notesIn(root) };
  });
  return (sheetPart) => {
    const targets = office.beside("Comments of a sheet", () => office.relationships(sheetPart)) ?? [];
    const parts = targets.filter(({ type }) => type === "threadedComment" || type === "comments");
    const said = [...new Set(parts.map(({ target }) => target))].map(saidIn);
    const threads = said.flatMap((part) => part.threads);
    const notes = said.flatMap((part) => part.notes).filter(({ isOfThread }) => threads.length === 0 || !isOfThread);
    return [...threads, ...notes.map(({ draft }) => draft)];
  };
}

/** Who wrote in threads, by the workbook's ids. */
function readPersons(office: OoxmlPackage): Map<string, string> {
  const part = office.relationships(office.mainPart).find(({ type }) => type === "person")?.target;
  const root = part === undefined ? undefined : office.beside("Who wrote comments", () => office.tree(part));
  return new Map(
    elementsOf(root, "person").map(({ attributes }) => [attributes["id"] ?? "", attributes["displayName"] ?? ""]),
  );
}

function threadsIn(root: XmlElement | undefined, persons: ReadonlyMap<string, string>): Draft[] {
  return elementsOf(root, "threadedComment").flatMap((comment) => {
    const author = persons.get(comment.attributes["personId"] ?? "") ?? "";
    return commentDraft(author, textOf(elementOf(comment, "text")), comment.attributes["ref"]) ?? [];
  });
}

function notesIn(root: XmlElement | undefined): Said["notes"] {
  const authors = elementsOf(elementOf(root, "authors"), "author").map(textOf);
  return elementsOf(elementOf(root, "commentList"), "comment").flatMap((comment) => {
    const author = authors[Number(comment.attributes["authorId"])] ?? "";
    const said = noteText(comment);
    // Excel begins a note with its author's name.
    const own = author !== "" && said.startsWith(`${author}:`) ? said.slice(author.length + 1) : said;
    const draft = commentDraft(author, own, comment.attributes["ref"]);
    return draft === null ? [] : [{ draft, isOfThread: author.startsWith("tc=") }];
  });
}

/** Without the readings of Japanese words. */
function noteText(comment: XmlElement): string {
  const text = elementOf(comment, "text");
  return [text, ...descendantsOf(text, "r")].flatMap((part) => elementsOf(part, "t").map(textOf)).join("");
}
