import { expect, it } from "vitest";
import { plainTitle } from "./plain-title.ts";

const of = (inner: string, title: string) => plainTitle(title, `<!doctype html><title lang="en">${inner}</title><p>x`);

it.each([
  ["A &amp; <b>B</b>", "A & <b>B</b>", "A & B"],
  ['Pumps<br/>and <SPAN class="x">valves</SPAN >', 'Pumps<br/>and <SPAN class="x">valves</SPAN >', "Pumps and valves"],
  ["H<sub>2</sub>O", "H<sub>2</sub>O", "H2O"],
])("leaves out markup that stands in a title as it would in a text: %s", (inner, title, plain) => {
  expect(of(inner, title)).toBe(plain);
});

it.each([
  ["What &lt;b&gt; does", "What <b> does"],
  ["Vec<T> and a < b", "Vec<T> and a < b"],
  ["A & B", "A & B"],
])("keeps what is meant as text: %s", (inner, title) => {
  expect(of(inner, title)).toBe(title);
});

it("keeps a title that is nothing but markup's text, and one that stands nowhere as it is", () => {
  expect(of("<b></b>", "<b></b>")).toBe("");
  expect(plainTitle("a <b>c</b>", "<svg></svg>")).toBe("a <b>c</b>");
});
