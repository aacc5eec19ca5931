import { commentDraft } from "./comment-draft.ts";

/** As much of the document that mammoth reads as is needed here. */
export type WordNode = {
  type: string;
  children?: WordNode[];
  numbering?: unknown;
  styleName?: string | null;
  value?: string;
  commentId?: string;
};
export type WordDocument = WordNode & {
  children: WordNode[];
  notes: { resolve(reference: WordNode): unknown };
  comments: { commentId: string; authorName: string | null; body: WordNode[] }[];
};

/**
 * Puts each comment as a paragraph after the paragraph, table or list that it is on; those on what is not read (a note, words
 * that were deleted) at the end. For mammoth's `transformDocument`.
 */
export function withComments(document: WordDocument): WordDocument {
  const unsaid = new Map(document.comments.map((comment) => [comment.commentId, comment]));
  const say = (ids: Iterable<string>): WordNode[] =>
    [...ids].flatMap((id) => {
      const comment = unsaid.get(id);
      unsaid.delete(id);
      const draft = comment === undefined ? null : commentDraft(comment.authorName ?? "", wordsOf(comment.body));
      return draft === null ? [] : [paragraphOf(draft.text)];
    });
  const waiting: string[] = [];
  const children = document.children.flatMap((child, index) => {
    for (const id of referencesIn(child)) waiting.push(id);
    // Between its items it would end a list, and the next item would begin to count anew.
    if (isItem(child) && isItem(document.children[index + 1])) return [child];
    return [child, ...say(waiting.splice(0))];
  });
  return { ...document, children: children.concat(say([...unsaid.keys()])) };
}

/** Headings may be numbered as well. */
function isItem(node: WordNode | undefined): boolean {
  return (node?.numbering ?? null) !== null && !/^heading /iu.test(node?.styleName ?? "");
}

function referencesIn(node: WordNode): string[] {
  if (node.type === "commentReference") return node.commentId === undefined ? [] : [node.commentId];
  return (node.children ?? []).flatMap(referencesIn);
}

function wordsOf(nodes: readonly WordNode[]): string {
  return nodes
    .map((node) => {
      if (node.type === "text") return node.value ?? "";
      if (node.type === "tab") return " ";
      if (node.type === "break") return "\n";
      const words = wordsOf(node.children ?? []);
      return node.type === "paragraph" ? `${words}\n` : words;
    })
    .join("");
}

function paragraphOf(text: string): WordNode {
  const lines = text
    .split("\n")
    .flatMap((value, index) => [
      ...(index === 0 ? [] : [{ type: "break", breakType: "line" }]),
      { type: "text", value },
    ]);
  const unstyled = { styleId: null, styleName: null };
  const run = { type: "run", ...unstyled, children: lines };
  return Object.assign({ type: "paragraph", numbering: null, alignment: null, indent: {}, children: [run] }, unstyled);
}
