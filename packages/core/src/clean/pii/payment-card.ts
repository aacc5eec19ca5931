import { digitsOf, textBefore, type PiiEntity } from "./entity.ts";

/** 13 to 19 digits in one piece or in groups divided by one space or hyphen. */
const candidate = /(?<![\p{L}\p{N}_.,-])\d(?:[ -]?\d){12,18}(?![\p{L}\p{N}_]|[.,-]\d)/gu;

/** Issuer ranges (ISO/IEC 7812) with the lengths that they are issued in. */
const issuers: readonly { prefix: RegExp; lengths: readonly number[] }[] = [
  { prefix: /^4/, lengths: [13, 16, 19] }, // Visa
  { prefix: /^(?:5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] }, // Mastercard
  { prefix: /^3[47]/, lengths: [15] }, // American Express
  { prefix: /^(?:6011|64[4-9]|65)/, lengths: [16, 19] }, // Discover
  { prefix: /^(?:30[0-5]|309|36|3[89])/, lengths: [14, 16, 19] }, // Diners Club
  { prefix: /^35(?:2[89]|[3-8])/, lengths: [16, 19] }, // JCB
  { prefix: /^62/, lengths: [16, 17, 18, 19] }, // UnionPay
  { prefix: /^(?:5018|5020|5038|5893|6304|6759|676[1-3])/, lengths: [13, 14, 15, 16, 17, 18, 19] }, // Maestro
  { prefix: /^220[0-4]/, lengths: [16, 17, 18, 19] }, // Mir
];

/** How cards are printed; other groupings are tables of numbers. */
const grouping = /^(?:\d+|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})$/;
/** Only directly before an ungrouped number, and not before "card": masking an order number is the lesser evil. */
const otherNumber =
  /(?:order|invoice|tracking|article|serial|imei|ean|gtin|bestell\p{L}*|rechnungs?\p{L}*|auftrags?\p{L}*|artikel\p{L}*|sendungs?\p{L}*|commande|facture|pedido|factura)[ -]?(?:id|no|nr|number|nummer|code)?[^\p{L}\d\n]{0,4}$/iu;

export function findPaymentCards(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const { 0: raw, index: start } of text.matchAll(candidate)) {
    const digits = digitsOf(raw);
    const issuer = issuers.find(({ prefix }) => prefix.test(digits));
    if (!issuer?.lengths.includes(digits.length) || !grouping.test(raw) || !passesLuhn(digits)) continue;
    if (raw === digits && otherNumber.test(textBefore(text, start))) continue;
    found.push({ type: "PAYMENT_CARD", start, end: start + raw.length, score: 0.95 });
  }
  return found;
}

/** ISO/IEC 7812-1, annex B: from the right, every second digit doubled, the digit sum is divisible by ten. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = digits.charCodeAt(digits.length - 1 - i) - 48;
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0 && /[1-9]/.test(digits);
}
