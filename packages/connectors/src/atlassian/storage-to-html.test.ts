import { expect, it } from "vitest";
import { storageToHtml } from "./storage-to-html.ts";

const bodyOf = (storage: string) => /<h1>T<\/h1>\n([\s\S]*)\n<\/body>/.exec(storageToHtml("T", storage))?.[1];

it("keeps what a macro holds and drops what it would fetch or is set with", () => {
  const panel =
    '<ac:structured-macro ac:name="info" ac:schema-version="1"><ac:parameter ac:name="title">Set</ac:parameter><ac:rich-text-body><p>Mind the gap.</p></ac:rich-text-body></ac:structured-macro>';
  expect(bodyOf(panel)).toBe("<p>Mind the gap.</p>");
  const include =
    '<p>a</p><ac:structured-macro ac:name="include"><ac:parameter ac:name=""><ac:link><ri:page ri:content-title="Secret" /></ac:link></ac:parameter></ac:structured-macro><p>b</p>';
  expect(bodyOf(include)).toBe("<p>a</p><p>b</p>");
});

it("keeps code as text", () => {
  const code =
    '<ac:structured-macro ac:name="code"><ac:plain-text-body><![CDATA[if (a < b && c) { }]]></ac:plain-text-body></ac:structured-macro>';
  expect(bodyOf(code)).toBe("<pre>if (a &lt; b &amp;&amp; c) { }</pre>");
});

it("keeps a link's text, or the title that it leads to", () => {
  const link = '<ac:link><ri:page ri:content-title="Reset &gt; pump" /></ac:link>';
  expect(bodyOf(`<p>${link}</p>`)).toBe("<p>Reset &gt; pump</p>");
  const named =
    '<ac:link><ri:page ri:content-title="X" /><ac:plain-text-link-body><![CDATA[this & that]]></ac:plain-text-link-body></ac:link>';
  expect(bodyOf(named)).toBe("this &amp; that");
});

it("keeps tasks and lets attached images go", () => {
  const tasks =
    "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Call Ann</ac:task-body></ac:task></ac:task-list>";
  expect(bodyOf(tasks)).toBe("<ul><li>Call Ann</li></ul>");
  expect(bodyOf('<p>x<ac:image ac:alt="a > b"><ri:attachment ri:filename="a.png" /></ac:image></p>')).toBe("<p>x</p>");
});

it("escapes the title", () => {
  expect(storageToHtml("a & <b>", "")).toContain("<h1>a &amp; &lt;b&gt;</h1>");
});
