import { describe, expect, it } from "vitest";
import type { Element } from "../document/element.ts";
import { assessQuality } from "./assess-quality.ts";
import { qualityPolicySchema } from "./policy.ts";

const of = (kind: Element["kind"], ...texts: string[]) => texts.map((text): Element => ({ kind, text, section: [] }));
const priceList = [
  "| Artikel | Bezeichnung | Preis |",
  "| --- | --- | --- |",
  ...Array.from({ length: 60 }, (_, i) => `| A-${1000 + i} | Pumpe | ${i},90 € |`),
].join("\n");

const businessDocuments: [string, Element[]][] = [
  ["a price list that is nothing but a table", of("table", priceList)],
  ["a price list that arrived as plain lines", of("paragraph", priceList.replace(/[|]/g, " "))],
  [
    "a spreadsheet of numbers",
    of("table", Array.from({ length: 80 }, (_, i) => `| ${i} | ${i * 17}.5 | ${i * 3} |`).join("\n")),
  ],
  ["one answer of an FAQ", of("paragraph", "Can I return an item? Yes, within 30 days.")],
  [
    "a German FAQ whose questions begin alike",
    Array.from({ length: 12 }, (_, i) => [
      ...of("heading", `Wie kann ich meine Bestellung Nummer ${i} ändern?`),
      ...of(
        "paragraph",
        `Öffnen Sie Ihr Konto, wählen Sie Punkt ${i} und bestätigen Sie die Änderung mit Schritt ${i + 7}.`,
      ),
    ]).flat(),
  ],
  [
    "a form",
    of(
      "paragraph",
      "Name: ____________________",
      "Date: ____________________",
      "Signature: ________________",
      "☐ Yes  ☐ No",
    ),
  ],
  ["a bullet list without a full stop", of("list", "- Sécurité\n- Qualité\n- Délais\n- Garantie\n- Prix")],
  [
    "a contract with recurring clauses",
    of(
      "paragraph",
      ...Array.from(
        { length: 20 },
        (_, i) =>
          `§ ${i + 1} The supplier shall, in accordance with the agreement, deliver item ${i * 31} no later than day ${i + 3} of the ${["first", "second", "third"][i % 3]} quarter.`,
      ),
    ),
  ],
  [
    "a Spanish e-mail",
    of("paragraph", "Estimada señora García:", "Le confirmamos su pedido de 12 unidades.", "Un cordial saludo,"),
  ],
  ["a Japanese notice", of("paragraph", "請求書は三十日以内に支払う必要があります。遅延の場合は手数料が発生します。")],
  ["a Thai sentence", of("paragraph", "กรุณาชำระเงินภายในสามสิบวันนับจากวันที่ได้รับใบแจ้งหนี้")],
  ["an Arabic sentence", of("paragraph", "يجب دفع الفاتورة خلال ثلاثين يوما من تاريخ الاستلام")],
  [
    "German compounds",
    of(
      "list",
      "- Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz\n- Grundstücksverkehrsgenehmigungszuständigkeit\n- Kraftfahrzeughaftpflichtversicherung",
    ),
  ],
  ["configuration in a manual", of("code", 'server {\n  listen 443;\n  root "/var/www";\n}\n'.repeat(30))],
  [
    "a page of links",
    of(
      "list",
      Array.from(
        { length: 8 },
        (_, i) => `- https://example.com/documentation/reference/administration/chapter-${i}/settings.html`,
      ).join("\n"),
    ),
  ],
  [
    "a cookie policy that is a document",
    of(
      "paragraph",
      "This website uses cookies.",
      ...Array.from(
        { length: 12 },
        (_, i) =>
          `Category ${i} is stored for ${i + 1} months by the marketing department under retention schedule number ${i * 13}.`,
      ),
    ),
  ],
  [
    "a style guide that mentions lorem ipsum",
    of(
      "paragraph",
      'Never publish "lorem ipsum" as placeholder text; write a real sentence for every field of the form instead.',
    ),
  ],
];

describe("assessQuality, enterprise profile", () => {
  it.each(businessDocuments)("keeps %s", (_, elements) => {
    expect(assessQuality({ elements })).toMatchObject({ keep: true });
  });

  const random = (i: number) => ((i * 2654435761) >>> 0).toString(36);
  const useless: [string, string, Element[]][] = [
    ["TOO_SHORT", "two words", of("paragraph", "Hello world")],
    ["TOO_SHORT", "an empty document", []],
    [
      "NOT_TEXT",
      "a binary file read as text",
      of("paragraph", "\u0001\u0000\u0003PK\u0007 some words here and there \u0002\u0004".repeat(20)),
    ],
    ["NOT_TEXT", "drawn lines", of("paragraph", "+-+|/\\+-=+~^ <> ::; !? ab cd ef".repeat(10))],
    [
      "NOT_TEXT",
      "encoded data",
      of("paragraph", Array.from({ length: 20 }, (_, i) => random(i).repeat(13)).join("\n")),
    ],
    [
      "GARBLED",
      "UTF-8 read as Windows-1252",
      of("paragraph", "FÃ¼r die PrÃ¼fung mÃ¼ssen alle GerÃ¤te geprÃ¼ft werden. ".repeat(5)),
    ],
    [
      "GARBLED",
      "text that could not be decoded",
      of("paragraph", "F\ufffdr die Pr\ufffdfung m\ufffdssen alle Ger\ufffdte ".repeat(5)),
    ],
    ["GARBLED", "glyph numbers", of("paragraph", "(cid:12)(cid:34) a (cid:7) b (cid:8) c (cid:9) word word word")],
    [
      "LOREM_IPSUM",
      "placeholder text",
      of(
        "paragraph",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore.",
      ),
    ],
    [
      "BOILERPLATE",
      "a script warning",
      of("paragraph", "Please enable JavaScript to view this page.", "© 2024 All rights reserved."),
    ],
    [
      "BOILERPLATE",
      "a German consent banner",
      of("paragraph", "Wir verwenden Cookies, um Ihnen das beste Erlebnis zu bieten.", "Alle Cookies akzeptieren"),
    ],
    [
      "TOO_REPETITIVE",
      "one line again and again",
      of("paragraph", ...Array.from({ length: 30 }, () => "Buy our great product today")),
    ],
    ["TOO_REPETITIVE", "one phrase again and again", of("paragraph", "cheap tickets ".repeat(80))],
  ];
  it.each(useless)("drops as %s %s", (code, _, elements) => {
    const verdict = assessQuality({ elements });
    expect(verdict).toMatchObject({ keep: false, code });
  });

  it("gives the measured number and the limit in the reason", () => {
    const verdict = assessQuality({ elements: of("paragraph", "Hello world") });
    expect(verdict.keep ? "" : verdict.reason).toBe("The document has 2 words (limit 3).");
    const repeated = assessQuality({
      elements: of("paragraph", ...Array.from({ length: 30 }, () => "Buy our great product today")),
    });
    expect(repeated.keep ? "" : repeated.reason).toBe("97% of the lines repeat an earlier line (limit 60%).");
  });
});

describe("assessQuality, web profile", () => {
  const policy = qualityPolicySchema.parse({ profile: "web" });
  const article = of(
    "paragraph",
    "The council has approved the plan to rebuild the harbour, and work is expected to begin in the spring of next year.",
    "Residents who live near the site have been told that noise will be limited to working hours, with exceptions for the pouring of concrete.",
    "Funding comes from three sources: the region, a state programme for coastal towns, and a loan that the town will repay over twenty years.",
  );

  it("keeps an article and drops a price list, by the published limits", () => {
    expect(assessQuality({ elements: article }, policy, { language: "en" })).toMatchObject({
      keep: true,
      scores: { brokenWebRules: [] },
    });
    expect(assessQuality({ elements: of("table", priceList) }, policy)).toMatchObject({
      keep: false,
    });
  });

  it("asks for English stop words of English only", () => {
    const german = of(
      "paragraph",
      ...Array.from(
        { length: 4 },
        (_, i) =>
          `Der Stadtrat hat am ${i + 3}. Mai beschlossen, dass Abschnitt ${i} des Hafens noch vor dem Winter ausgebaut und für alle Schiffe freigegeben wird.`,
      ),
    );
    const broken = (language: string) =>
      assessQuality({ elements: german }, policy, { language }).scores.brokenWebRules;
    expect(broken("de")).not.toContain("stopWords");
    expect(broken("en")).toContain("stopWords");
  });

  it("lets the workspace choose the lower limit of words", () => {
    const short = of("paragraph", "Hello world");
    expect(assessQuality({ elements: short }, qualityPolicySchema.parse({ minWords: 1 }))).toMatchObject({
      keep: true,
    });
  });
});
