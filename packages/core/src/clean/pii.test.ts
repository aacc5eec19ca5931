import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findPii } from "./find-pii.ts";
import { maskPii, PiiTokens } from "./mask-pii.ts";
import { passesLuhn } from "./pii/payment-card.ts";
import { piiPolicySchema, piiTypes, type PiiAction, type PiiType } from "./policy.ts";

const policy = piiPolicySchema.parse({});
const found = (text: string) =>
  findPii(text, policy).map(({ type, start, end }) => `${type} ${text.slice(start, end)}`);
const actions = (action: PiiAction) =>
  Object.fromEntries(piiTypes.map((type) => [type, action])) as Record<PiiType, PiiAction>;
/** Written in two parts, so that no scanner of repositories takes these examples for real keys. */
const joined = (...parts: string[]) => parts.join("");

describe("findPii finds", () => {
  it.each<[PiiType, string, string[]]>([
    [
      "EMAIL",
      "Write to max.muster@example.de or MAX+x@sub.example.co.uk.",
      ["max.muster@example.de", "MAX+x@sub.example.co.uk"],
    ],
    ["EMAIL", "Kontakt: info (at) firma [dot] de", ["info (at) firma [dot] de"]],
    ["EMAIL", "<mailto:jörg@müller.example>", ["jörg@müller.example"]],
    ["PHONE", "Tel. 030 1234567, Fax: +49 (0)30 901820", ["030 1234567", "+49 (0)30 901820"]],
    ["PHONE", "Call (212) 555-0123 or 212-555-0199 ext. 5", ["(212) 555-0123", "212-555-0199"]],
    ["PHONE", "Ruf uns an: 0171 2345678", ["0171 2345678"]],
    ["PHONE", "Tél. 01 42 68 53 00 à Paris", ["01 42 68 53 00"]],
    ["PHONE", "Teléfono: 912 345 678", ["912 345 678"]],
    ["PHONE", "030 1234567 / 0171 2345678", ["030 1234567", "0171 2345678"]],
    ["PHONE", "+49 30 1234567 2024-01-15, 0171 2345678 2024-01-15", ["+49 30 1234567", "0171 2345678"]],
    ["PHONE", "030 / 1234567 und 0049 30 7654321", ["030 / 1234567", "0049 30 7654321"]],
    ["PHONE", "T +41 44 668 18 00 / 電話 +81 3-1234-5678", ["+41 44 668 18 00", "+81 3-1234-5678"]],
    ["IBAN", "IBAN DE89 3704 0044 0532 0130 00 bitte", ["DE89 3704 0044 0532 0130 00"]],
    ["IBAN", "to GB82WEST12345698765432.", ["GB82WEST12345698765432"]],
    ["IBAN", "FR14 2004 1010 0505 0001 3M02 606", ["FR14 2004 1010 0505 0001 3M02 606"]],
    ["PAYMENT_CARD", "Visa 4111 1111 1111 1111, Amex 378282246310005", ["4111 1111 1111 1111", "378282246310005"]],
    ["PAYMENT_CARD", "invoice: card 5555-5555-5555-4444", ["5555-5555-5555-4444"]],
    ["IP_ADDRESS", "from 192.168.1.20:8080 and host 10.0.0.1", ["192.168.1.20", "10.0.0.1"]],
    ["IP_ADDRESS", "2001:db8::ff00:42:8329, fe80::1", ["2001:db8::ff00:42:8329", "fe80::1"]],
    ["MAC_ADDRESS", "00:1B:44:11:3A:B7 and 001b.4411.3ab7", ["00:1B:44:11:3A:B7", "001b.4411.3ab7"]],
    ["US_SSN", "SSN 123-45-6789; social security number: 219099999", ["123-45-6789", "219099999"]],
    ["NATIONAL_ID", "DNI 12345678Z, NIE X1234567L", ["12345678Z", "X1234567L"]],
    ["NATIONAL_ID", "NIR 2 55 08 14 168 025 38", ["2 55 08 14 168 025 38"]],
    ["NATIONAL_ID", "CF RSSMRA85T10A562S, AHV 756.9217.0769.85", ["RSSMRA85T10A562S", "756.9217.0769.85"]],
    ["NATIONAL_ID", "CPF 111.444.777-35, Steuer-ID: 65 929 970 489", ["111.444.777-35", "65 929 970 489"]],
    [
      "NATIONAL_ID",
      "BSN 111222333, PESEL 44051401359, NI AB 12 34 56 C",
      ["111222333", "44051401359", "AB 12 34 56 C"],
    ],
    ["SECRET", joined("AKIA", "IOSFODNN7EXAMPLE"), [joined("AKIA", "IOSFODNN7EXAMPLE")]],
    [
      "SECRET",
      joined("token ghp", "_abcdefghijklmnopqrstuvwxyz0123456789."),
      [joined("ghp", "_abcdefghijklmnopqrstuvwxyz0123456789")],
    ],
    ["SECRET", joined("xox", "b-123456789012-abcdefghijkl"), [joined("xox", "b-123456789012-abcdefghijkl")]],
    ["SECRET", joined("sk", "_live_abcdefghijklmnop1234"), [joined("sk", "_live_abcdefghijklmnop1234")]],
    ["SECRET", "Authorization: Bearer abcdef0123456789abcdef", ["abcdef0123456789abcdef"]],
    ["SECRET", "postgres://anneal:s3cr3tPw@db.example.com:5432/x", ["s3cr3tPw"]],
    ["SECRET", "password=hunter2, Passwort: Sommer2024!", ["hunter2", "Sommer2024!"]],
    ["SECRET", 'api_key: "a8f5f167f44f4964e6c998dee827110c"', ["a8f5f167f44f4964e6c998dee827110c"]],
    [
      "SECRET",
      joined("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"),
      [joined("eyJhbGciOiJIUzI1NiJ9.", "eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P")],
    ],
    [
      "SECRET",
      joined("a\n-----BEGIN RSA PRIVATE", " KEY-----\nMIIEpAIBAA\n-----END RSA PRIVATE KEY-----\nb"),
      [joined("-----BEGIN RSA PRIVATE", " KEY-----\nMIIEpAIBAA\n-----END RSA PRIVATE KEY-----")],
    ],
    [
      "SECRET",
      joined("-----BEGIN PRIVATE", " KEY-----\nMIIEpAIBAA cut off"),
      [joined("-----BEGIN PRIVATE", " KEY-----\nMIIEpAIBAA cut off")],
    ],
  ])("%s in %j", (type, text, values) => {
    expect(found(text)).toEqual(values.map((value) => `${type} ${value}`));
  });
});

describe("findPii leaves alone", () => {
  it.each([
    "Order 4930123456 shipped 12.05.2024 for 1.234.567,89 EUR",
    "Bestellnummer 0301234567, Artikel-Nr. 0815-4711-22",
    "Version 1.2.3.4, v10.20.30.40, firmware 192.168.2.1",
    "Section 10.2.31.4 applies; § 1.2.3.4 too",
    "127.0.0.1, 0.0.0.0 and netmask 255.255.255.0 are everyone's",
    "DE89 3704 0044 0532 0130 01 has the wrong check digits",
    "4111 1111 1111 1112 fails Luhn, order no. 4111111111111111 is an order",
    "12:34:56, std::vector, a::b, 1:2:3",
    "ISBN 978-3-16-148410-0 and 0-306-40615-2",
    "2019 2020 2021 2022 2023 2024",
    "12 345 678 90 1 234 567 0.12345678",
    "2024-01-15 0930 1000, 15.03.2024 08:00",
    "icon@2x.png, @anneal/core, a@b",
    "Password: at least 8 characters. Token: the smallest unit of text",
    "DB_PASSWORD=${DB_PASSWORD} password: <your-password> secret: changeme",
    "000-12-3456, 123-00-4567 and 900-12-3456 were never issued",
    "12345678A is no DNI",
    "DIN EN 0123-456789, HRB 012345 678",
  ])("%j", (text) => expect(found(text)).toEqual([]));
});

describe("findPii", () => {
  it("resolves overlaps to the stronger evidence and gives ordered, disjoint spans", () => {
    const hostile = fc.string({
      unit: fc.constantFrom(
        "@",
        ".",
        "a",
        "de",
        "0",
        "1",
        " ",
        "-",
        ":",
        "/",
        "(",
        ")",
        "+49",
        "DE89",
        "4111",
        "password=",
        "://u:",
        "\n",
        "eyJ",
        "::",
        "Tel ",
      ),
      maxLength: 80,
    });
    fc.assert(
      fc.property(hostile, (text) => {
        let end = 0;
        for (const entity of findPii(text, policy)) {
          expect(entity.start).toBeGreaterThanOrEqual(end);
          expect(entity.end).toBeGreaterThan(entity.start);
          end = entity.end;
        }
        expect(end).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 500 },
    );
  });

  it("comes to an end on long hostile text, whatever it repeats", () => {
    const units = [
      "1",
      "1 ",
      "01 ",
      "a@",
      "(at)",
      "1.",
      "a:",
      "eyJ",
      "a-",
      "://a:",
      "password=",
      "+1",
      "DE89 3704 ",
      "tel ",
      ":",
      "-----BEGIN PRIVATE KEY-----",
    ];
    // Quadratic time would take minutes here: 200,000 characters each.
    for (const unit of units) {
      const text = unit.repeat(200_000 / unit.length);
      for (const { end } of findPii(text, policy)) expect(end).toBeLessThanOrEqual(text.length);
    }
  }, 60_000);

  it("finds every IBAN and card number that it is given, wherever it stands in a sentence", () => {
    const card = fc
      .tuple(fc.constantFrom("4", "51", "36", "6011"), fc.stringMatching(/^\d{20}$/))
      .map(([prefix, digits]) => {
        const body = (prefix + digits).slice(0, prefix === "36" ? 13 : 15);
        return [..."0123456789"].map((check) => body + check).find(passesLuhn) ?? "";
      });
    fc.assert(
      fc.property(card, (number) => {
        expect(found(`Please charge ${number}, thank you.`)).toEqual([`PAYMENT_CARD ${number}`]);
      }),
    );
  });

  it("recognises national formats of the configured countries only", () => {
    const german = piiPolicySchema.parse({ phoneRegions: ["DE"] });
    const none = piiPolicySchema.parse({ phoneRegions: [] });
    const text = "030 1234567, (212) 555-0123, +44 20 7946 0958";
    const values = (chosen: typeof policy) => findPii(text, chosen).map(({ start, end }) => text.slice(start, end));
    expect(values(german)).toEqual(["030 1234567", "+44 20 7946 0958"]);
    expect(values(none)).toEqual(["+44 20 7946 0958"]);
  });
});

describe("maskPii", () => {
  const text = "Ask anna@example.com or ANNA@example.com, then bob@example.com at +49 30 1234567.";
  const entities = findPii(text, policy);

  it("masks by type, numbers equal values alike, removes, or keeps", () => {
    expect(maskPii(text, entities, actions("mask")).text).toBe("Ask [EMAIL] or [EMAIL], then [EMAIL] at [PHONE].");
    expect(maskPii(text, entities, actions("tokenise")).text).toBe(
      "Ask [EMAIL_1] or [EMAIL_1], then [EMAIL_2] at [PHONE_1].",
    );
    expect(maskPii("a bob@example.com b", findPii("a bob@example.com b", policy), actions("remove")).text).toBe("a b");
    expect(maskPii(text, entities, actions("keep")).text).toBe(text);
  });

  it("counts what it found and maps every span to where it now stands", () => {
    const { text: masked, counts, spans } = maskPii(text, entities, actions("tokenise"));
    expect(counts).toEqual({ EMAIL: 3, PHONE: 1 });
    expect(spans.map(({ start, end }) => text.slice(start, end))).toEqual([
      "anna@example.com",
      "ANNA@example.com",
      "bob@example.com",
      "+49 30 1234567",
    ]);
    expect(spans.map(({ maskedStart, maskedEnd }) => masked.slice(maskedStart, maskedEnd))).toEqual([
      "[EMAIL_1]",
      "[EMAIL_1]",
      "[EMAIL_2]",
      "[PHONE_1]",
    ]);
  });

  it("shares numbers between the texts that share the tokens", () => {
    const tokens = new PiiTokens();
    const mask = (part: string) => maskPii(part, findPii(part, policy), actions("tokenise"), tokens).text;
    expect([mask("DE89 3704 0044 0532 0130 00"), mask("de89370400440532013000")]).toEqual(["[IBAN_1]", "[IBAN_1]"]);
  });

  it("leaves nothing behind that would be found again", () => {
    const piece = fc.constantFrom(
      "anna@example.com",
      "+49 30 1234567",
      "DE89 3704 0044 0532 0130 00",
      "4111 1111 1111 1111",
      "192.168.1.20",
      " ",
      ", ",
      "\n",
      "word",
    );
    fc.assert(
      fc.property(fc.array(piece), fc.constantFrom<PiiAction>("mask", "tokenise"), (pieces, action) => {
        const original = pieces.join(" ");
        const { text: masked } = maskPii(original, findPii(original, policy), actions(action));
        expect(found(masked)).toEqual([]);
      }),
    );
  });

  it("carries no value in an entity or a span", () => {
    const { spans } = maskPii(text, entities, actions("mask"));
    expect(JSON.stringify([entities, spans])).not.toMatch(/anna|bob|1234567/i);
  });
});
