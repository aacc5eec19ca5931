import { isAnnealError } from "@anneal/core/errors";

/** What a person reads on the terminal: code, what happened, what to do. */
export function describeError(error: unknown): string {
  if (!isAnnealError(error))
    return `Something unexpected went wrong: ${error instanceof Error ? error.message : String(error)}`;
  return `${error.code}: ${error.message}\nWhat to do: ${error.action}`;
}
