import { isSupportedCountry, parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/max";
import { digitsOf, textBefore, type PiiEntity } from "./entity.ts";

/** A run of digits and what may stand between them; bounded, so that hostile text costs linear time. */
const candidate =
  /(?<![\p{L}\p{N}_#@=$€£¥&\\])[+＋(0-9][0-9 ()./\u00a0\u2010-\u2015-]{5,46}[0-9](?![\p{L}\p{N}_%€$£])/gu;

const label =
  /(?:\btel|\bphone|\btelephone|\btelefon\p{L}*|\btélé?p?h?o?n?e?|\bteléfono|\btelefono|\btelefone|\bfax|\bmob(?:ile?|il)?|\bcell|\bcall|\bhandy|\brufnummer|\bdurchwahl|\bfon|\bfestnetz|\bportable|\bmóvil|\bcellulare|\btelefoon|\bcontact|\bkontakt|\bhotline|\bwhatsapp|\bsms|\bdial|電話|电话|전화|тел)[^\d\n]{0,20}$/iu;
const otherNumber =
  /(?:\bno\.?|\bnr\.?|\bnum\p{L}*|number|nummer|numéro|número|numero|#|\bid|\border|\binvoice|\barticle|\bitem|\bsku|\bpart|\bserial|\bversion|\bisbn|\bissn|\bdin|\biso|\ben|\bean|\bvat|\bust\p{L}*|\bhrb|\bblz|\bkonto\p{L}*|\baccount|\brechnung\p{L}*|\bbestell\p{L}*|\bauftrag\p{L}*|\bartikel\p{L}*|\bkunden\p{L}*|\bvertrag\p{L}*|\bcontract|\bcustomer|\bticket|\bcase|\bref\p{L}*|\baktenzeichen|\baz|\bcommande|\bfacture|\bpedido|\bfactura|\bsiren|\bsiret|\bnif|\bcif|\bserie|\bmodel\p{L}*|\bpatent|[$€£¥]|\beur|\busd|\bchf|\bgbp)[^\p{L}\p{N}\n]{0,4}$/iu;

/** What divides several numbers in one run, from the clearest to the least clear: "030 / 12345" may be one number. */
const dividers = [/\s{2,}|\s(?=[+＋])/, / ?\/ ?| [\u2010-\u2015-] /, /\s(?=\(?0[1-9])/];
/** ITU-T E.164 allows 15 digits; an international prefix and a trunk zero come on top. */
const maxDigits = 18;

/**
 * Numbers that libphonenumber (Google's metadata) holds valid: international ones anywhere, national ones of the given
 * countries when a word before them says so or they are written as only phone numbers are. Its own text search is not
 * used: it takes a minute for a megabyte of spaced digits.
 */
export function findPhones(text: string, regions: readonly string[]): PiiEntity[] {
  const countries = regions.filter((region): region is CountryCode => isSupportedCountry(region));
  const found: PiiEntity[] = [];
  for (const { 0: raw, index } of text.matchAll(candidate)) {
    const before = textBefore(text, index);
    const context = { isLabelled: label.test(before), isOtherNumber: otherNumber.test(before) };
    findInRun(raw, index, 0, context, countries, found);
  }
  return found;
}

type Context = { isLabelled: boolean; isOtherNumber: boolean };

/** Tries the run as one number, else its parts. */
function findInRun(
  run: string,
  start: number,
  level: number,
  context: Context,
  countries: readonly CountryCode[],
  found: PiiEntity[],
): void {
  const digits = digitsOf(run).length;
  if (digits < 7) return;
  const offset = run.search(run.includes(")") ? /[+＋(\d]/ : /[+＋\d]/);
  const written = run.slice(offset).replace(/\D+$/, "");
  const score = digits > maxDigits ? null : scorePhone(written, context, countries);
  if (score !== null) {
    found.push({
      type: "PHONE",
      start: start + offset,
      end: start + offset + written.length,
      score,
    });
    return;
  }
  const divider = dividers[level];
  if (!divider) {
    findLeading(written, start + offset, context, countries, found);
    return;
  }
  let at = 0;
  for (const part of run.split(divider)) {
    at = run.indexOf(part, at);
    // Words before the run speak of its first number only.
    const partContext = at === 0 ? context : { ...context, isOtherNumber: false };
    findInRun(part, start + at, level + 1, partContext, countries, found);
    at += part.length;
  }
}

/** A number with other figures behind it: the longest beginning that is one. */
function findLeading(
  written: string,
  start: number,
  context: Context,
  countries: readonly CountryCode[],
  found: PiiEntity[],
): void {
  if (!/^\(?[+＋0]/.test(written)) return;
  for (let end = written.lastIndexOf(" "); end > 0; end = written.lastIndexOf(" ", end - 1)) {
    const beginning = written.slice(0, end).trimEnd();
    const digits = digitsOf(beginning).length;
    if (digits < 9) return;
    const score = digits > maxDigits ? null : scorePhone(beginning, context, countries);
    if (score === null) continue;
    found.push({ type: "PHONE", start, end: start + beginning.length, score });
    return;
  }
}

function scorePhone(written: string, context: Context, countries: readonly CountryCode[]): number | null {
  const international = /^\(?[+＋]|^00[1-9]/.test(written);
  if (international) return parsePhoneNumberFromString(written.replace(/^00/, "+"))?.isValid() ? 0.95 : null;
  for (const country of countries) {
    const isClear = context.isLabelled || (!context.isOtherNumber && isWrittenLikePhone(written, country));
    if (isClear && parsePhoneNumberFromString(written, country)?.isValid()) return context.isLabelled ? 0.9 : 0.7;
  }
  return null;
}

const northAmerica = new Set(["US", "CA"]);

/** Without a word that says "phone": the trunk prefix 0 and a separator, or North America's 3-3-4. */
function isWrittenLikePhone(written: string, country: CountryCode): boolean {
  if (/^\d{1,4}[./-]\d{1,2}[./-]\d{1,4}$/.test(written)) return false; // a date
  if (northAmerica.has(country))
    return /^(?:\+?1[-. ])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-. ])\d{3}[-. ]\d{4}$/.test(written);
  if (/^0\.\d+$/.test(written) || isIsbn10(written)) return false;
  return (
    /^\(?0[1-9]/.test(written) && /\d[ ()./\u00a0\u2010-\u2015-]+\d/.test(written) && digitsOf(written).length >= 9
  );
}

/** ISO 2108, the ten-digit form: weighted sum divisible by eleven. */
function isIsbn10(written: string): boolean {
  const digits = digitsOf(written);
  if (digits.length !== 10 || !/^\d+-\d+-\d+-\d$/.test(written)) return false;
  return [...digits].reduce((sum, digit, i) => sum + Number(digit) * (10 - i), 0) % 11 === 0;
}
