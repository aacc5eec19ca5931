import { expect, it } from "vitest";
import { plainTitle } from "./plain-title.ts";

const of = (inner: string, title: string) => plainTitle(title, `<!doctype html><title lang="en">${inner}</title><p>x`);

it.each([
  ["A &amp; <b>B</b>", "A & <b>B</b>", "A & B"],
  ['Pumps<br/>and <SPAN class="x">valves</SPAN >', 'Pumps<br/>and <SPAN class="x">valves</SPAN >', "Pumps and valves"],
  ["H<sub>2</sub>O", "H<sub>2</sub>O", "H2O"],
  ["<a href='/x' class=y>A</a>", "<a href='/x' class=y>A</a>", "A"],
])("leaves out markup that stands in a title as it would in a text: %s", (inner, title, plain) => {
  expect(of(inner, title)).toBe(plain);
});

it.each([
  ["What &lt;b&gt; does", "What <b> does"],
  ["Vec<T> and a < b", "Vec<T> and a < b"],
  ["A & B", "A & B"],
  ["Is a<b and c>d for all?", "Is a<b and c>d for all?"],
  ["a <i = 0 and j> b", "a <i = 0 and j> b"],
])("keeps what is meant as text: %s", (inner, title) => {
  expect(of(inner, title)).toBe(title);
});

it.each([
  ["a comment", "<!-- <title>old</title> -->"],
  ["a script", "<script>const old = '<title>old</title>';</script>"],
  ["a style", "<style>/* <title>old</title> */</style>"],
  ["an attribute", `<meta name="description" content="<title>old</title>">`],
  ["an empty title", "<title> </title>"],
])("takes the page's own title, not what is called so in %s", (_where, before) => {
  const html = `<html>\r\n<head>😀${before}<TITLE>Plan <b>B</b></TITLE></head>`;
  expect(plainTitle("Plan <b>B</b>", html)).toBe("Plan B");
  const spoken = `${before.replace("old", "<b>B</b>")}<title>What &lt;b> does</title>`;
  expect(plainTitle("What <b> does", spoken)).toBe("What <b> does");
});

it("is made of a title that does not end as well", () => {
  expect(plainTitle("a <b>c</b>", "<title>a <b>c</b>")).toBe("a c");
});

it("keeps a title that is nothing but markup's text, and one that stands nowhere as it is", () => {
  expect(of("<b></b>", "<b></b>")).toBe("");
  expect(plainTitle("a <b>c</b>", "<svg></svg>")).toBe("a <b>c</b>");
});
