import { AnnealError } from "@anneal/core/errors";

const word = /\s*((?:'[^']*'|"[^"$`\\]*"|[\w@%+=:,./-])+)(?=\s|$)/y;
const quoted = /'([^']*)'|"([^"]*)"/g;

/**
 * The words of a command line that is run without a shell: blanks part them, quotes keep them together. What a shell
 * would do something else with is refused instead of meaning something other than it does there.
 * @throws AnnealError INVALID_INPUT that does not repeat the line, which may hold a token
 */
export function splitCommand(setting: string, line: string): [string, ...string[]] {
  const rest = line.trimEnd();
  const words: string[] = [];
  word.lastIndex = 0;
  while (word.lastIndex < rest.length) {
    const found = word.exec(rest);
    if (found === null)
      throw refuse(setting, "holds a quote that is not closed, or a character that only a shell knows");
    words.push(found[1]!.replaceAll(quoted, "$1$2"));
  }
  const [program, ...args] = words;
  if (program === undefined || program === "") throw refuse(setting, "names no program");
  return [program, ...args];
}

function refuse(setting: string, why: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `${setting} ${why}.`, {
    action:
      "It is run without a shell: put a line with pipes, variables or ~ into a script of its own and name that, and put single quotes around what is meant as it stands.",
  });
}
