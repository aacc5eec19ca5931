/** The parts of a rehype tree that this plugin reads and makes. */
type Node =
  | { type: "text"; value: string }
  | { type: "element"; tagName: string; properties: Record<string, unknown>; children: Node[] };
type Tree = { type: string; children?: Node[] };

const markPattern = /\s?\[(\d{1,3})\]/g;

/** A rehype plugin: the marks of these citations, such as [1], become <cite> elements; code is left as it is. */
export function linkCitations(numbers: readonly number[]) {
  return (tree: Tree): void => visit(tree, new Set(numbers));
}

function visit(node: Tree, numbers: ReadonlySet<number>): void {
  if (!node.children) return;
  node.children = node.children.flatMap((child): Node[] => {
    if (child.type === "text") return splitMarks(child.value, numbers);
    if (child.type === "element" && child.tagName !== "code") visit(child, numbers);
    return [child];
  });
}

function splitMarks(text: string, numbers: ReadonlySet<number>): Node[] {
  const nodes: Node[] = [];
  let from = 0;
  for (const match of text.matchAll(markPattern)) {
    const number = Number(match[1]);
    if (!numbers.has(number)) continue;
    if (match.index > from) nodes.push({ type: "text", value: text.slice(from, match.index) });
    nodes.push({
      type: "element",
      tagName: "cite",
      properties: {},
      children: [{ type: "text", value: String(number) }],
    });
    from = match.index + match[0].length;
  }
  if (from < text.length) nodes.push({ type: "text", value: text.slice(from) });
  return nodes;
}
