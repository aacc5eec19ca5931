/**
 * A made-up document collection with a known share of near-duplicates, the same on every machine: Zipf-distributed
 * vocabulary, a part of the documents filled into templates, and planted copies whose similarity runs from 0.5 to 1.
 */
export type BenchDocument = { id: string; firstSeenAtMs: number; text: string };

const shingleWords = 5;
const vocabularySize = 30_000;
const templateCount = 40;
const templateShare = 0.2;
const plantedShare = 0.1;

/** @param count how many documents, planted copies included. */
export function makeCorpus(count: number, seed: number): BenchDocument[] {
  const random = mulberry32(seed);
  const vocabulary = Array.from({ length: vocabularySize }, (_, rank) => inventWord(rank, random));
  const drawWord = zipfSampler(vocabulary, random);
  const drawText = (words: number) => Array.from({ length: words }, drawWord);
  const templates = Array.from({ length: templateCount }, () => drawText(60 + Math.floor(random() * 140)));

  const texts: string[][] = [];
  while (texts.length < count) {
    const original = texts[Math.floor(random() * texts.length)];
    if (original && random() < plantedShare) texts.push(alter(original, 0.5 + random() * 0.5, drawWord, random));
    else if (random() < templateShare) {
      const template = templates[Math.floor(random() * templateCount)] ?? [];
      texts.push([...template, ...drawText(100 + Math.floor(random() * 300))]);
    } else texts.push(drawText(100 + Math.floor(random() * 500)));
  }
  return texts.map((words, i) => ({
    id: `doc-${i}`,
    firstSeenAtMs: i,
    text: punctuate(words, random),
  }));
}

/** Every replaced word changes up to five shingles in both texts, so n(1 - J) / (5(1 + J)) replacements give about J. */
function alter(words: readonly string[], similarity: number, drawWord: () => string, random: () => number): string[] {
  const altered = [...words];
  const replacements = Math.round((words.length * (1 - similarity)) / (shingleWords * (1 + similarity)));
  for (let i = 0; i < replacements; i++) altered[Math.floor(random() * words.length)] = drawWord();
  return altered;
}

function punctuate(words: readonly string[], random: () => number): string {
  let text = "";
  let sentenceStart = true;
  for (const word of words) {
    text += sentenceStart ? word.charAt(0).toUpperCase() + word.slice(1) : word;
    sentenceStart = random() < 0.07;
    text += sentenceStart ? (random() < 0.2 ? ".\n\n" : ". ") : random() < 0.08 ? ", " : " ";
  }
  return text.trimEnd();
}

function inventWord(rank: number, random: () => number): string {
  const syllables = [
    "ka",
    "lo",
    "mi",
    "ter",
    "un",
    "sha",
    "ve",
    "ro",
    "din",
    "pa",
    "es",
    "tu",
    "bel",
    "gra",
    "on",
    "fi",
  ];
  let word = "";
  // Frequent words are short, as in real languages; the number keeps every word distinct.
  for (let i = 0; i < 1 + Math.log10(rank + 1) / 1.5; i++) word += syllables[Math.floor(random() * syllables.length)];
  return word + rank.toString(36);
}

/** Zipf's law: the word of rank r is drawn in proportion to 1 / r. */
function zipfSampler(vocabulary: readonly string[], random: () => number): () => string {
  const cumulative: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= vocabulary.length; rank++) cumulative.push((total += 1 / rank));
  return () => {
    const target = random() * total;
    let low = 0;
    let high = cumulative.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] ?? total) < target) low = middle + 1;
      else high = middle;
    }
    return vocabulary[low] ?? "";
  };
}

function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
