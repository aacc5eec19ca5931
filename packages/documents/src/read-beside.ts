import { isAnnealError } from "@anneal/core/errors";

/**
 * What stands beside a document's own text, in a part of its own: a header, comments, a title. Where that part is damaged the
 * document is read without it, and a warning says so; a hostile one still ends the document.
 *
 * @param what is left out then, as a sentence begins with it: "A page header"
 * @param warnings one is added for each damaged part, however often it is asked for
 */
export function readBeside<T>(what: string, warnings: string[], read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!isAnnealError(error) || error.code !== "DOCUMENT_DAMAGED") throw error;
    const warning = `${what} could not be read and was left out: ${error.message}`;
    if (!warnings.includes(warning)) warnings.push(warning);
    return undefined;
  }
}
