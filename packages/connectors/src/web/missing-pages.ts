import { hash, randomUUID } from "node:crypto";
import type { PageFacts } from "./page-facts.ts";

/**
 * Tells pages that say "not found" with status 200 from real ones, by asking for a page that cannot exist in the same
 * folder and comparing. Words such as "404" only decide whether to ask.
 */
export type MissingPages = {
  isMissing(url: string, facts: PageFacts, isSuspected: boolean): Promise<boolean>;
};

/** What a site answers for a page that cannot exist; null for an honest error. */
type Ask = (url: string) => Promise<PageFacts | null>;

const maxFolders = 200;
const maxRemembered = 10_000;
const missingWords =
  /\b(?:404|not found|no longer (?:available|exists?)|does(?: not|n.t) exist|could(?: not|n.t) be found|page (?:is )?missing|nicht gefunden|existiert nicht|introuvable|n.existe (?:pas|plus)|no encontrada|non trovata|niet gevonden)\b/i;

/** @param starts where the crawl begins: these are pages, however little they say */
export function createMissingPages(ask: Ask, starts: readonly string[]): MissingPages {
  const answers = new Map<string, Promise<Set<string> | null>>();
  const texts = new Map<string, string>();

  /** The same text under two addresses is how a missing page without telling words shows. */
  const isRepeated = (url: string, { mainText }: PageFacts): boolean => {
    const key = hash("sha256", withoutAddress(mainText, url), "base64url");
    const first = texts.get(key);
    if (first === undefined && texts.size < maxRemembered) texts.set(key, url);
    return first !== undefined && first !== url;
  };
  const wordsAt = async (url: string) => {
    const facts = await ask(url);
    return facts === null ? null : wordsOf(url, facts);
  };
  /** A shell that is the same for every address, the first page's too, says nothing about which pages exist. */
  const askIn = async (folder: string) => {
    const answer = await wordsAt(`${folder}${randomUUID()}`);
    const start = starts.find((each) => new URL(each).origin === new URL(folder).origin);
    const shell = answer === null || start === undefined ? null : await wordsAt(start);
    return answer !== null && shell !== null && isAlike(answer, shell) ? null : answer;
  };
  const answerIn = (folder: string): Promise<Set<string> | null> => {
    let answer = answers.get(folder);
    if (answer === undefined) {
      if (answers.size >= maxFolders) return Promise.resolve(null);
      answers.set(folder, (answer = askIn(folder).catch(() => null)));
    }
    return answer;
  };

  return {
    async isMissing(url, facts, isSuspected) {
      if (starts.includes(url)) return false;
      const repeated = isRepeated(url, facts);
      const hinted = missingWords.test(`${facts.title ?? ""} ${facts.mainText.slice(0, 2000)}`);
      const folders = foldersOf(url);
      // The host and its first folders, which often are programs of their own; others when there is a reason.
      const asked = isSuspected || hinted || repeated ? folders : folders.slice(0, 2);
      for (const folder of asked) {
        const missing = await answerIn(folder);
        if (missing !== null && isAlike(missing, wordsOf(url, facts))) return true;
      }
      return false;
    },
  };
}

/** The host, the first folder and the page's own: of /a/b/c/ and of /a/b/c these are /, /a/ and /a/b/. */
function foldersOf(url: string): string[] {
  const { origin, pathname } = new URL(url);
  const parents = pathname
    .split("/")
    .filter((segment) => segment !== "")
    .slice(0, -1);
  const [first] = parents;
  const folders = ["/", ...(first === undefined ? [] : [`/${first}/`, `/${parents.join("/")}/`])];
  return [...new Set(folders)].map((folder) => origin + folder);
}

/** A page and an answer to nonsense are the same when nearly all their words are. */
const alikeShare = 0.9;

function isAlike(a: Set<string>, b: Set<string>): boolean {
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared > 0 && shared >= alikeShare * (a.size + b.size - shared);
}

/** Words with their place among equal ones, so that a text and twice the text differ. */
function wordsOf(url: string, facts: PageFacts): Set<string> {
  const counts = new Map<string, number>();
  const words = withoutAddress(`${facts.title ?? ""} ${facts.mainText}`, url)
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u);
  return new Set(
    words.flatMap((word) => {
      if (word === "") return [];
      const count = (counts.get(word) ?? 0) + 1;
      counts.set(word, count);
      return `${word} ${count}`;
    }),
  );
}

/** Error pages like to repeat the address. */
function withoutAddress(text: string, url: string): string {
  const { href, pathname } = new URL(url);
  const path = decode(pathname);
  const name = path.slice(path.lastIndexOf("/") + 1);
  return [href, path, pathname, name].reduce(
    (rest, part) => (part.length > 1 ? rest.replaceAll(part, " ") : rest),
    text,
  );
}

function decode(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}
