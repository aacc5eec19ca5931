import { digitsOf, textBefore, type PiiEntity } from "./entity.ts";
import type { PiiType } from "../policy.ts";

type NumberKind = {
  type: Extract<PiiType, "US_SSN" | "NATIONAL_ID">;
  pattern: RegExp;
  isValid(symbols: string): boolean;
  /** Numbers that look like any other need one of these words before them. */
  context?: RegExp;
};

const edge = (pattern: string) => new RegExp(`(?<![\\p{L}\\p{N}_.-])${pattern}(?![\\p{L}\\p{N}_]|[.-]\\d)`, "giu");
const before = (words: string) => new RegExp(`(?:${words})[^\\n\\d]{0,20}$`, "iu");

/** Weighted digit sum. */
const weigh = (digits: string, weights: readonly number[]) =>
  weights.reduce((sum, weight, i) => sum + weight * Number(digits[i]), 0);
const allSame = (digits: string) => /^(\d)\1*$/.test(digits);

const kinds: readonly NumberKind[] = [
  {
    // Social Security Administration: areas 000, 666 and 900 on, group 00 and serial 0000 are never issued.
    type: "US_SSN",
    pattern: edge("\\d{3}-\\d{2}-\\d{4}"),
    isValid: (s) => !/^(?:000|666|9)/.test(s) && s.slice(3, 5) !== "00" && s.slice(5) !== "0000",
  },
  {
    type: "US_SSN",
    pattern: edge("\\d{3} ?\\d{2} ?\\d{4}"),
    isValid: (s) => !/^(?:000|666|9)/.test(s) && s.slice(3, 5) !== "00" && s.slice(5) !== "0000",
    context: before("ssn|social security(?: number| no\\.?)?"),
  },
  {
    // Spain, DNI and NIE: the letter is the number modulo 23.
    type: "NATIONAL_ID",
    pattern: edge("[XYZ\\d][ -]?\\d{7}[ -]?[A-Z]"),
    isValid: (s) => {
      const number = Number(s.slice(0, -1).replace(/^[XYZ]/, (letter) => String("XYZ".indexOf(letter))));
      return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] === s.at(-1);
    },
  },
  {
    // France, numéro de sécurité sociale: key 97 - (number mod 97); Corsica's 2A and 2B count as 19 and 18.
    type: "NATIONAL_ID",
    pattern: edge("[1278] ?\\d{2} ?(?:0[1-9]|1[0-2]|[2-4]\\d|50) ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}"),
    isValid: (s) => {
      const number = BigInt(s.slice(0, 13).replace("2A", "19").replace("2B", "18"));
      return 97n - (number % 97n) === BigInt(s.slice(13));
    },
  },
  {
    // Italy, codice fiscale: the last letter checks the other fifteen (D.M. 23/12/1976).
    type: "NATIONAL_ID",
    pattern: edge("[A-Z]{6}\\d{2}[ABCDEHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z]"),
    isValid: (s) => codiceFiscaleLetter(s) === s.at(-1),
  },
  {
    // Switzerland, AHV number: country 756 and an EAN-13 check digit.
    type: "NATIONAL_ID",
    pattern: edge("756[. ]?\\d{4}[. ]?\\d{4}[. ]?\\d{2}"),
    isValid: (s) => weigh(s, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
  },
  {
    // Brazil, CPF: two check digits modulo 11.
    type: "NATIONAL_ID",
    pattern: edge("\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}"),
    isValid: (s) => {
      const first = ((weigh(s, [10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
      const second = ((weigh(s, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) * 10) % 11) % 10;
      return !allSame(s) && first === Number(s[9]) && second === Number(s[10]);
    },
  },
  {
    // Germany, Steuer-Identifikationsnummer: ISO 7064 mod 11,10.
    type: "NATIONAL_ID",
    pattern: edge("[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}"),
    isValid: hasMod11Mod10,
    context: before(
      "steuer-?id\\p{L}*|steuerliche identifikations\\p{L}*|steueridentifikations\\p{L}*|idnr\\.?|tax id\\p{L}*|tin",
    ),
  },
  {
    // Netherlands, burgerservicenummer: the "eleven test".
    type: "NATIONAL_ID",
    pattern: edge("\\d{3}[. ]?\\d{3}[. ]?\\d{3}"),
    isValid: (s) => !allSame(s) && weigh(s, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    context: before("bsn|burgerservicenummer|sofinummer"),
  },
  {
    // Poland, PESEL: weights 1 3 7 9.
    type: "NATIONAL_ID",
    pattern: edge("\\d{11}"),
    isValid: (s) => !allSame(s) && weigh(s, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0,
    context: before("pesel"),
  },
  {
    // United Kingdom, National Insurance number: no check digit, but prefixes and the suffix are restricted.
    type: "NATIONAL_ID",
    pattern: edge("[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]"),
    isValid: (s) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(s),
  },
];

export function findNationalIds(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const { type, pattern, isValid, context } of kinds) {
    for (const { 0: raw, index: start } of text.matchAll(pattern)) {
      if (!isValid(raw.replace(/[ .-]/g, "").toUpperCase())) continue;
      if (context && !context.test(textBefore(text, start))) continue;
      found.push({ type, start, end: start + raw.length, score: 0.9 });
    }
  }
  return found;
}

function hasMod11Mod10(digits: string): boolean {
  let product = 10;
  for (const digit of digits.slice(0, 10)) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digitsOf(digits).at(-1));
}

/** Symbols in odd places weigh by this table (index: 0-9 then A-Z), in even places by their position in it. */
const oddWeights = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

function codiceFiscaleLetter(code: string): string {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = Number.parseInt(code.charAt(i), 36);
    const position = value > 9 ? value - 10 : value;
    sum += i % 2 === 0 ? (oddWeights[position] ?? 0) : position;
  }
  return String.fromCharCode(65 + (sum % 26));
}
