import { describe, expect, it } from "vitest";
import { linkCitations } from "./link-citations.ts";

const text = (value: string) => ({ type: "text" as const, value });
const element = (tagName: string, ...children: ReturnType<typeof text>[]) => ({
  type: "element" as const,
  tagName,
  properties: {},
  children,
});
const cite = (number: number) => element("cite", text(String(number)));

function linked(numbers: number[], ...children: (ReturnType<typeof text> | ReturnType<typeof element>)[]) {
  const tree = { type: "root", children };
  linkCitations(numbers)(tree);
  return tree.children;
}

describe("linkCitations", () => {
  it("turns the marks of citations into elements, wherever they stand", () => {
    expect(linked([1, 2], element("p", text("Two years [1][2]. Really [1]")))).toEqual([
      { ...element("p"), children: [text("Two years"), cite(1), cite(2), text(". Really"), cite(1)] },
    ]);
  });

  it("leaves a number in brackets that cites nothing as it is", () => {
    expect(linked([1], text("See item [7]."))).toEqual([text("See item [7].")]);
  });

  it("leaves code alone", () => {
    expect(linked([1], element("code", text("list[1]")))).toEqual([element("code", text("list[1]"))]);
  });
});
