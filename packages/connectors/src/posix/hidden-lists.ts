import { AnnealError } from "@anneal/core/errors";

/** @param teller what a source's files are read through, as the beginning of a sentence */
export function hiddenLists(teller: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `${teller} tells no access lists, so that nobody is shown what lies there.`, {
    action:
      "If no file and no folder there has one, set “Access lists that do not show” to “There are none” (hiddenAccessLists=none); else run a worker where their disk is and read them as a folder, or turn file permissions off.",
  });
}
