import { digitsOf, standsAlone, type PiiEntity } from "./entity.ts";

/** Lengths by country, from the SWIFT IBAN registry (ISO 13616). */
const lengths = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
    "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Country, check digits, and the rest in groups divided by at most one space or hyphen. */
const candidate = /[A-Z]{2}[ -]?\d{2}(?:[ -]?[A-Z0-9]){11,30}/gi;

export function findIbans(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  candidate.lastIndex = 0;
  for (let match = candidate.exec(text); match; match = candidate.exec(text)) {
    const start = match.index;
    const length = lengths.get(match[0].slice(0, 2).toUpperCase());
    const end = length === undefined ? null : endOfSymbols(text, start, length);
    if (end !== null && standsAlone(text, start, end) && hasValidCheckDigits(text.slice(start, end))) {
      found.push({ type: "IBAN", start, end, score: 1 });
      candidate.lastIndex = end;
    } else candidate.lastIndex = start + 1;
  }
  return found;
}

/** Where the IBAN of `length` symbols ends: words that follow match the candidate pattern too. */
function endOfSymbols(text: string, start: number, length: number): number | null {
  let symbols = 0;
  for (let at = start; at < text.length && at < start + 2 * length; at++) {
    if (/[A-Z0-9]/i.test(text.charAt(at))) symbols++;
    if (symbols === length) return at + 1;
  }
  return null;
}

/** ISO 7064 mod 97-10: the first four symbols moved to the end, letters as 10 to 35, must leave 1. */
function hasValidCheckDigits(iban: string): boolean {
  const symbols = iban.replace(/[ -]/g, "").toUpperCase();
  let remainder = 0;
  for (const symbol of symbols.slice(4) + symbols.slice(0, 4)) {
    const value = Number.parseInt(symbol, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1 && digitsOf(symbols).length >= 2;
}
