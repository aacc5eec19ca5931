/** How much of a text's layout carries meaning. */
export type TextLayout =
  /** Runs of white space are one space, blank lines go. */
  | "prose"
  /** A line is a row; spaces inside it are collapsed. */
  | "rows"
  /** White space stays as it is. */
  | "verbatim";

// oxlint-disable-next-line no-control-regex
const lineBreaks = /\r\n?|[\u000b\u000c\u0085\u2028\u2029]/g;

/**
 * Characters that a reader does not see: controls, soft hyphens (with the line break they allowed), zero-width and
 * bidirectional formatting ("Trojan Source", CVE-2021-42574), and tag characters, which smuggle ASCII past people.
 */
const hidden =
  // oxlint-disable-next-line no-control-regex
  /\u00ad\n?|[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffc]|[\u{e0000}-\u{e007f}]/gu;

/** Joiners are part of the spelling in these scripts and of emoji; between other characters they only hide. */
const joiningScripts =
  "Arabic Syriac Mongolian Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala Khmer Myanmar";
const joined = `[${joiningScripts
  .split(" ")
  .map((script) => `\\p{scx=${script}}`)
  .join("")}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f]`;
const strayJoiners = new RegExp(`(?<!${joined})[\\u200c\\u200d]|[\\u200c\\u200d](?!${joined})`, "gu");

/** More than one variation selector in a row, or a supplementary one after anything but an ideograph, is a payload. */
const strayVariationSelectors =
  /(?<=[\ufe00-\ufe0f\u{e0100}-\u{e01ef}])[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]|(?<!\p{Script=Han})[\u{e0100}-\u{e01ef}]/gu;

/** Latin, Armenian and Arabic presentation forms, which PDF fonts leave in place of letters. */
const presentationForms = /[\ufb00-\ufb06\ufb13-\ufb17\ufb50-\ufd3d\ufd50-\ufdfb\ufe70-\ufefc]/g;

const markFlood = /(\p{M}{4})\p{M}+/gu;
const exoticSpaces = /[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/g;

/** Unicode NFC, no hidden characters, plain letters and spaces, and white space as the layout allows. */
export function normaliseText(text: string, layout: TextLayout = "prose"): string {
  const plain = text
    .toWellFormed()
    .replace(lineBreaks, "\n")
    .replace(hidden, "")
    .replace(presentationForms, (form) => form.normalize("NFKC"))
    .normalize("NFC")
    .replace(strayJoiners, "")
    .replace(strayVariationSelectors, "")
    // Once more, for what a joiner or a selector kept apart.
    .normalize("NFC")
    .replace(markFlood, "$1");
  if (layout === "verbatim") return plain.replace(/^\n+/, "").trimEnd();
  const lines = plain
    .replace(exoticSpaces, " ")
    .split("\n")
    .map((line) => line.replace(/[ \t]+/g, " ").trim());
  return lines.filter((line) => line !== "").join("\n");
}

export type TextDamage = {
  characters: number;
  /** U+FFFD and lone surrogates: bytes that could not be decoded. */
  replacementCharacters: number;
  /** Control characters other than tab and line breaks: binary data read as text. */
  controlCharacters: number;
  /** Pairs such as "Ã¤" or "â€™": UTF-8 that was read as Windows-1252 or Latin-1. */
  mojibake: number;
};

const mojibake = /[ÃÂÐÑ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ‘’“”•–—˜™š›œžŸ]|â[€„][\u0080-\u00bf™œ“”˜¢¦]/g;

/** Counts what is wrong with a text; to be called before `normaliseText`, which removes the evidence. */
export function measureDamage(text: string): TextDamage {
  const count = (pattern: RegExp) => {
    let found = 0;
    for (const _ of text.matchAll(pattern)) found++;
    return found;
  };
  return {
    characters: text.length,
    replacementCharacters: count(/\ufffd|[\ud800-\udfff]/gu),
    // oxlint-disable-next-line no-control-regex
    controlCharacters: count(/[\u0000-\u0008\u000e-\u001f\u007f-\u0084\u0086-\u009f]/g),
    mojibake: count(mojibake),
  };
}
