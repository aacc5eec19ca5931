/**
 * Splits text into word hashes without allocating a string per word. A word is a run of letters, marks and digits;
 * in scripts written without spaces (Han, kana, Thai, Lao, Khmer, Burmese) every character counts as a word.
 */

/** What a UTF-16 code unit does to the word being read; 0 ends it. */
const inWord = 1;
const wholeWord = 2;

let classes: Uint8Array | null = null;

function characterClasses(): Uint8Array {
  if (classes) return classes;
  const table = new Uint8Array(0x10000);
  const unspaced =
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
  const word = /[\p{L}\p{N}]/u;
  const mark = /\p{M}/u;
  for (let code = 0; code < 0x10000; code++) {
    const character = String.fromCharCode(code);
    if (mark.test(character)) table[code] = inWord;
    else if (unspaced.test(character) && word.test(character)) table[code] = wholeWord;
    // Surrogates: letters outside the basic plane arrive as two units of one word.
    else if (word.test(character) || (code >= 0xd800 && code < 0xe000)) table[code] = inWord;
  }
  classes = table;
  return table;
}

/** The spelling that words are compared in: compatibility forms unified, case ignored. */
export function foldText(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

/** Two independent 32-bit hashes per word, in text order; `count` of them, valid until the next call. */
export type WordHashes = { low: Int32Array; high: Int32Array; count: number };

const lowPrime = 0x01000193;
const highPrime = 0x85ebca6b | 0;

let lowScratch = new Int32Array(4096);
let highScratch = new Int32Array(4096);

/**
 * FNV-1a in two lanes with different multipliers.
 * @param seed makes the hashes of one installation unpredictable to whoever writes the documents.
 */
export function hashWords(text: string, seed: number): WordHashes {
  const table = characterClasses();
  const folded = foldText(text);
  const length = folded.length;
  if (lowScratch.length < length) {
    lowScratch = new Int32Array(length * 2);
    highScratch = new Int32Array(length * 2);
  }
  const low = lowScratch;
  const high = highScratch;
  const lowSeed = 0x811c9dc5 ^ seed;
  const highSeed = 0x9747b28c ^ seed;
  let count = 0;
  let a = lowSeed;
  let b = highSeed;
  let open = false;
  for (let i = 0; i < length; i++) {
    const code = folded.charCodeAt(i);
    const kind = table[code];
    if (kind === inWord) {
      a = Math.imul(a ^ code, lowPrime);
      b = Math.imul(b ^ code, highPrime);
      open = true;
      continue;
    }
    if (open) {
      low[count] = a;
      high[count++] = mix(b);
      a = lowSeed;
      b = highSeed;
      open = false;
    }
    if (kind === wholeWord) {
      low[count] = Math.imul(lowSeed ^ code, lowPrime);
      high[count++] = mix(Math.imul(highSeed ^ code, highPrime));
    }
  }
  if (open) {
    low[count] = a;
    high[count++] = mix(b);
  }
  return { low, high, count };
}

/** MurmurHash3's 32-bit finaliser (Appleby, public domain): every input bit reaches every output bit. */
export function mix(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** Words by the same reading as `hashWords`. */
export function countWords(text: string): number {
  return hashWords(text, 0).count;
}
