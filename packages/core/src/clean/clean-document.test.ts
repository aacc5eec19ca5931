import { describe, expect, it } from "vitest";
import { documentText, parsedDocumentSchema, type Element, type ParsedDocument } from "../document/element.ts";
import { cleanDocument } from "./clean-document.ts";
import { cleanPolicySchema } from "./policy.ts";

const parsed = (elements: Element[], mediaType = "text/markdown"): ParsedDocument => ({
  title: "Contact of jane@example.com",
  mediaType,
  elements,
  warnings: ["The attachment of jane@example.com was skipped."],
});
const body: Element[] = [
  { kind: "heading", level: 1, text: "Support: jane@example.com", section: [] },
  {
    kind: "paragraph",
    text: "Write to jane@example.com  or call +49 30 1234567 before noon.",
    section: ["Support: jane@example.com"],
  },
  {
    kind: "table",
    text: "| Name | Mail |\n| --- | --- |\n| Jane | JANE@example.com |",
    section: ["Support: jane@example.com"],
  },
];

function keep(document: ParsedDocument, policy = cleanPolicySchema.parse({})) {
  const result = cleanDocument(document, policy);
  if (result.status !== "kept") throw new Error(result.reason);
  return result;
}

describe("cleanDocument", () => {
  it("masks personal data in every place where it shows, element by element, and counts it once", () => {
    const { document, pii, language } = keep(parsed(body));
    expect(parsedDocumentSchema.parse(document)).toEqual({
      title: "Contact of [EMAIL]",
      mediaType: "text/markdown",
      elements: [
        { kind: "heading", level: 1, text: "Support: [EMAIL]", section: [] },
        {
          kind: "paragraph",
          text: "Write to [EMAIL] or call [PHONE] before noon.",
          section: ["Support: [EMAIL]"],
        },
        {
          kind: "table",
          text: "| Name | Mail |\n| --- | --- |\n| Jane | [EMAIL] |",
          section: ["Support: [EMAIL]"],
        },
      ],
      warnings: ["The attachment of [EMAIL] was skipped."],
    });
    expect(pii).toEqual({ EMAIL: 3, PHONE: 1 });
    expect(language.code).toBe("en");
  });

  it("leaves where an element stands on its page as it was, also where its text changes", () => {
    const box = { left: 0.1, top: 0.25, width: 0.8, height: 0.05 };
    const elements: Element[] = [
      {
        kind: "paragraph",
        text: "The pump keeps the cool-\nant moving as long as the shaft turns.",
        page: 2,
        box,
        section: [],
      },
      {
        kind: "list",
        text: "- Write to jane@example.com before noon.",
        page: 3,
        box: { ...box, top: 0.5 },
        section: [],
      },
    ];
    const { document } = keep(parsed(elements, "application/pdf"));
    expect(document.elements).toMatchObject([
      { text: "The pump keeps the coolant moving as long as the shaft turns.", page: 2, box },
      { text: "- Write to [EMAIL] before noon.", page: 3, box: { ...box, top: 0.5 } },
    ]);
  });

  it("gives equal values one number throughout the document when they are tokenised", () => {
    const policy = cleanPolicySchema.parse({ pii: { actions: { EMAIL: "tokenise" } } });
    const { document } = keep(parsed(body), policy);
    expect(documentText(document.elements)).not.toContain("EMAIL_2");
    expect(document.title).toBe("Contact of [EMAIL_1]");
  });

  it("follows the exceptions of the document's language", () => {
    const policy = cleanPolicySchema.parse({
      pii: { actionsByLanguage: { de: { PHONE: "keep" } } },
    });
    const german = parsed([
      {
        kind: "paragraph",
        text: "Bitte rufen Sie uns vor dem Mittag unter +49 30 1234567 an.",
        section: [],
      },
    ]);
    expect(documentText(keep(german, policy).document.elements)).toContain("+49 30 1234567");
    expect(documentText(keep(parsed(body), policy).document.elements)).toContain("[PHONE]");
  });

  it("drops what is useless with a code and a sentence that quotes none of it", () => {
    expect(cleanDocument(parsed([{ kind: "paragraph", text: "jane@example.com", section: [] }]))).toMatchObject({
      status: "kept",
    });
    expect(cleanDocument(parsed([{ kind: "paragraph", text: "secret", section: [] }]))).toMatchObject({
      status: "dropped",
      code: "TOO_SHORT",
      reason: "The document has 1 word (limit 3).",
    });
  });

  it("judges damage by the text as it was read, before it was normalised away", () => {
    const text = "\u0001\u0002\u0003\u0004some words that survive \u0005\u0006\u0007\u0008".repeat(5);
    expect(cleanDocument(parsed([{ kind: "paragraph", text, section: [] }]))).toMatchObject({
      code: "NOT_TEXT",
    });
  });

  it("keeps only the languages asked for, and always what has none", () => {
    const policy = cleanPolicySchema.parse({ languages: ["de"] });
    expect(cleanDocument(parsed(body), policy)).toMatchObject({
      status: "dropped",
      code: "OTHER_LANGUAGE",
      reason: 'The document is in "en" (kept: de).',
    });
    const numbers = parsed([{ kind: "table", text: "| 1 | 2 |\n| 3 | 4 |", section: [] }]);
    expect(cleanDocument(numbers, policy)).toMatchObject({
      status: "kept",
      language: { code: "und" },
    });
  });

  it("takes page furniture out of PDF only", () => {
    const pages = [1, 2, 3].map((page): Element => ({
      kind: "paragraph",
      page,
      section: [],
      text: `Annual report\nBody of part ${["one", "two", "three"][page - 1]} is here.\n${page}`,
    }));
    expect(keep(parsed(pages, "application/pdf")).removedLines).toBe(5);
    expect(keep(parsed(pages)).removedLines).toBe(0);
  });
});
