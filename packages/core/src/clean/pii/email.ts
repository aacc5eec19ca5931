import type { PiiEntity } from "./entity.ts";

const localCharacter = /[\p{L}\p{N}\p{M}._%+'’-]/u;
/** RFC 5321, 4.5.3.1: limits of the local part and of a label. */
const maxLocal = 64;

/** "@", its full-width form, and the spellings meant to fool harvesters: "(at)", "[at]". */
const atSigns = /[@＠]| ?[([{] ?at ?[)\]}] ?/gi;
const domain =
  /[\p{L}\p{N}][\p{L}\p{N}-]{0,62}(?:(?:\.| ?[([{] ?(?:dot|punkt|point|punto) ?[)\]}] ?)[\p{L}\p{N}][\p{L}\p{N}-]{0,62}){1,6}/uy;
const topLevelDomain = /(?:^|[.)\]} ])(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})$/u;
/** "icon@2x.png" is a file. */
const fileEnding = /\.(?:png|jpe?g|gif|svg|webp|avif|ico|css|js|mjs|ts|map|pdf|html?)$/i;

/** Looks outwards from each at sign, a bounded distance, so the time is linear in the text. */
export function findEmails(text: string): PiiEntity[] {
  const found: PiiEntity[] = [];
  for (const match of text.matchAll(atSigns)) {
    const isSpelledOut = match[0].length > 1;
    let start = match.index;
    while (start > 0 && match.index - start < maxLocal && localCharacter.test(text.charAt(start - 1))) start--;
    while (start < match.index && /[.'’%+-]/.test(text.charAt(start))) start++;
    if (start === match.index || text.charAt(match.index - 1) === ".") continue;
    domain.lastIndex = match.index + match[0].length;
    const host = domain.exec(text)?.[0].replace(/-+$/, "");
    if (!host || !topLevelDomain.test(host) || fileEnding.test(host)) continue;
    const end = match.index + match[0].length + host.length;
    found.push({ type: "EMAIL", start, end, score: isSpelledOut ? 0.9 : 1 });
  }
  return found;
}
