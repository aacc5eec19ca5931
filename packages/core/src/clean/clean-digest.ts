/** What decided a document's cleaned form. */
export type CleanedFrom = {
  /** Of parsers and policy: the same bytes could give something else under another one. */
  cleanVersion: string;
  contentHash: string;
};

const recognition = ":ocr=";

/**
 * What decided a document's cleaned form, as the one line that is stored with it.
 *
 * @param triedLanguages the languages that its text was to be recognised with (OCR), whether or not it could be; null
 *   where nothing had to be recognised
 */
export function writeCleanDigest(from: CleanedFrom, triedLanguages: readonly string[] | null): string {
  const digest = prefixOf(from);
  return triedLanguages === null ? digest : `${digest}${recognition}${asSet(triedLanguages).join("+")}`;
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
  return asSet([...(readTriedLanguages(storedDigest, from) ?? []), ...languages]);
}

/**
 * Whether cleaning again could give something else. A text that had to be recognised is tried again only where a
 * language is used that it was not tried with yet, so that workers with different languages do not take a document
 * from each other for ever: each adds what it has, once.
 */
export function isCleanedFrom(storedDigest: string | null, from: CleanedFrom, languages: readonly string[]): boolean {
  if (storedDigest === prefixOf(from)) return true;
  const tried = readTriedLanguages(storedDigest, from);
  return tried !== null && languages.every((language) => tried.includes(language));
}

function readTriedLanguages(storedDigest: string | null, from: CleanedFrom): string[] | null {
  const start = prefixOf(from) + recognition;
  if (storedDigest === null || !storedDigest.startsWith(start)) return null;
  return storedDigest
    .slice(start.length)
    .split("+")
    .filter((language) => language !== "");
}

function prefixOf({ cleanVersion, contentHash }: CleanedFrom): string {
  return `${cleanVersion}:${contentHash}`;
}

function asSet(languages: readonly string[]): string[] {
  return [...new Set(languages)].sort();
}
