/** What decided a document's cleaned form. */
export type CleanedFrom = {
  /** Of parsers and policy: the same bytes could give something else under another one. */
  cleanVersion: string;
  contentHash: string;
};

/** What one worker may have and another one not. */
export type CleaningMeans = {
  /** Those that text is recognised in (OCR). */
  languages: readonly string[];
  /** The limits of size and time, which may refuse a document or a part of it. */
  bounds: string;
};

type Attempt = {
  /** The bounds that refused it or a part of it; null where none did. */
  refusedWithin: string | null;
  /** null where nothing had to be recognised. */
  triedLanguages: string[] | null;
};

const refusal = ":within=";
const recognition = ":ocr=";
const attempts = new RegExp(`^(?:${refusal}([^:]*))?(?:${recognition}(.*))?$`, "u");

/**
 * What decided a document's cleaned form, as the one line that is stored with it.
 *
 * @param triedLanguages the languages that its text was to be recognised with (OCR), whether or not it could be; null
 *   where nothing had to be recognised
 * @param refusedWithin the bounds that refused the document or a part of it; null where none did
 */
export function writeCleanDigest(
  from: CleanedFrom,
  triedLanguages: readonly string[] | null,
  refusedWithin: string | null = null,
): string {
  const bounds = refusedWithin === null ? "" : refusal + refusedWithin;
  const languages = triedLanguages === null ? "" : recognition + asSet(triedLanguages).join("+");
  return prefixOf(from) + bounds + languages;
}

/**
 * The languages after one more attempt: those of attempts before on the same bytes under the same version, and those
 * that are used now.
 */
export function addTriedLanguages(
  storedDigest: string | null,
  from: CleanedFrom,
  languages: readonly string[],
): string[] {
  return asSet([...(readAttempt(storedDigest, from)?.triedLanguages ?? []), ...languages]);
}

/**
 * Whether cleaning again could give something else. A text that had to be recognised is tried again only where a
 * language is used that it was not tried with yet, so that workers with different languages do not take a document
 * from each other for ever: each adds what it has, once. What the bounds refused is tried again under others.
 */
export function isCleanedFrom(
  storedDigest: string | null,
  from: CleanedFrom,
  { languages, bounds }: CleaningMeans,
): boolean {
  const attempt = readAttempt(storedDigest, from);
  if (attempt === null) return false;
  const { refusedWithin, triedLanguages } = attempt;
  if (refusedWithin !== null && refusedWithin !== bounds) return false;
  return triedLanguages === null || languages.every((language) => triedLanguages.includes(language));
}

/** @returns null for a digest of other bytes or of another version */
function readAttempt(storedDigest: string | null, from: CleanedFrom): Attempt | null {
  const start = prefixOf(from);
  if (storedDigest === null || !storedDigest.startsWith(start)) return null;
  const parts = attempts.exec(storedDigest.slice(start.length));
  if (parts === null) return null;
  return {
    refusedWithin: parts[1] ?? null,
    triedLanguages: parts[2]?.split("+").filter((language) => language !== "") ?? null,
  };
}

function prefixOf({ cleanVersion, contentHash }: CleanedFrom): string {
  return `${cleanVersion}:${contentHash}`;
}

function asSet(languages: readonly string[]): string[] {
  return [...new Set(languages)].sort();
}
