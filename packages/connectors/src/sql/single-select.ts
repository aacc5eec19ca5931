import { AnnealError } from "@anneal/core/errors";

/** How a dialect writes what is not to be searched for words. */
export type Lexicon = {
  quotes: Record<string, string>;
  /** Backslashes escape, or not: the server's mode decides. */
  backslashEscapes: boolean;
  hashComments: boolean;
  /** 5--1 is a difference of a negative number. */
  dashesNeedSpace: boolean;
};

export type ParsedSelect = {
  /** "WITH …", or empty. */
  prelude: string;
  /** From the SELECT that makes the rows to the end. */
  select: string;
};

/** Reserved in every dialect that uses this, so none can be a column's bare name. */
const writingWords =
  /^(?:INTO|INSERT|UPDATE|DELETE|MERGE|TRUNCATE|DROP|ALTER|CREATE|GRANT|REVOKE|EXEC|EXECUTE|CALL|LOCK|OPENROWSET|OPENQUERY|OPENDATASOURCE)$/i;

/**
 * One SELECT, perhaps after WITH, that changes nothing as far as its words tell. The server's own refusal stands behind
 * this wherever it has one; this one also keeps a query inside the parentheses that are put around it.
 *
 * @throws AnnealError INVALID_INPUT, or FORBIDDEN for a word that writes
 */
export function parseSelect(sql: string, name: string, lexicon: Lexicon): ParsedSelect {
  const text = sql.replace(/[\s;]+$/, "");
  let depth = 0;
  let first: string | null = null;
  let selectAt = -1;
  for (const { word, at } of readWords(text, name, lexicon)) {
    if (word === "(") depth += 1;
    if (word === ")") depth -= 1;
    if (depth < 0) throw notOneSelect(name, "a parenthesis is closed that was never opened");
    if (word === ";") throw notOneSelect(name, "it holds a second statement");
    if (word === "(" || word === ")") continue;
    first ??= word.toUpperCase();
    if (writingWords.test(word) && !isFunction(word, text.slice(at + word.length))) {
      throw new AnnealError("FORBIDDEN", `"${name}" must only read, and says ${word.toUpperCase()}.`, {
        action: "Give a SELECT that changes nothing.",
      });
    }
    if (depth === 0 && selectAt === -1 && word.toUpperCase() === "SELECT") selectAt = at;
  }
  if (depth > 0) throw notOneSelect(name, "a parenthesis is never closed");
  if ((first !== "SELECT" && first !== "WITH") || selectAt === -1) {
    throw notOneSelect(name, "it does not begin with SELECT or WITH");
  }
  return { prelude: text.slice(0, selectAt), select: text.slice(selectAt) };
}

/** TRUNCATE(1.23, 1) and INSERT('text', 1, 2, 'new') only make values in MySQL, and mean nothing elsewhere. */
function isFunction(word: string, rest: string): boolean {
  return /^(?:INSERT|TRUNCATE)$/i.test(word) && /^\s*\(/.test(rest);
}

type Word = { word: string; at: number };

/** Words, parentheses and semicolons; strings, quoted names and comments are passed over. */
function* readWords(text: string, name: string, lexicon: Lexicon): Iterable<Word> {
  let at = 0;
  while (at < text.length) {
    const rest = text.slice(at, at + 2);
    const char = text.charAt(at);
    const closing = lexicon.quotes[char];
    if (startsLineComment(text, at, lexicon)) {
      const end = text.indexOf("\n", at);
      // Where else a line ends is for each server to say.
      if (/\r(?!$)/.test(text.slice(at, end === -1 ? text.length : end))) {
        throw notOneSelect(name, "a comment holds a carriage return");
      }
      at = end === -1 ? text.length : end + 1;
    } else if (rest === "/*") {
      // MySQL runs what stands in /*! … */, and comments may nest in one database and not in the other.
      const end = text.indexOf("*/", at + 2);
      const comment = text.slice(at + 2, end === -1 ? text.length : end);
      if (end === -1 || /^M?!/.test(comment) || comment.includes("/*")) {
        throw notOneSelect(name, "it holds a comment that could hide something");
      }
      at = end + 2;
    } else if (closing !== undefined) {
      const from = at;
      at = endOfQuoted(text, from, closing);
      if (at === -1) throw notOneSelect(name, "a quotation is never closed");
      // What a backslash before the mark means depends on the server's mode, so it could hide where a text ends.
      if (lexicon.backslashEscapes && closing !== "`" && hasEscapedMark(text.slice(from + 1, at), closing)) {
        throw notOneSelect(name, "a backslash stands before a quotation mark, which is to be written twice instead");
      }
    } else if (char === "(" || char === ")" || char === ";") {
      yield { word: char, at };
      at += 1;
    } else {
      const word = /^[\p{L}_@$][\p{L}\p{N}_@$#]*/u.exec(text.slice(at, at + 200))?.[0];
      if (word !== undefined) yield { word, at };
      at += word?.length ?? 1;
    }
  }
}

function startsLineComment(text: string, at: number, lexicon: Lexicon): boolean {
  if (lexicon.hashComments && text.charAt(at) === "#") return true;
  if (text.slice(at, at + 2) !== "--") return false;
  const next = text.charAt(at + 2);
  return !lexicon.dashesNeedSpace || next === "" || next <= " ";
}

function hasEscapedMark(quoted: string, mark: string): boolean {
  return quoted.split(mark).some((part, index, parts) => {
    const backslashes = /\\*$/.exec(part)?.[0].length ?? 0;
    return index < parts.length - 1 && backslashes % 2 === 1;
  });
}

/** A doubled closing mark stands for itself. */
function endOfQuoted(text: string, from: number, closing: string): number {
  for (let at = from + 1; at < text.length; at += 1) {
    if (text.charAt(at) !== closing) continue;
    if (text.charAt(at + 1) !== closing) return at + 1;
    at += 1;
  }
  return -1;
}

function notOneSelect(name: string, why: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${name}" is not one SELECT: ${why}.`, {
    action: "Give one statement that begins with SELECT or WITH.",
  });
}
