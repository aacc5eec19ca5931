import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { AnnealError } from "@anneal/core/errors";
import { RemoteError } from "./remote-client.ts";

/** What was asked for is refused without a reason, while the service answers others: one can do without it. */
export function isRefusedAlone(error: unknown): error is RemoteError {
  return error instanceof RemoteError && error.isAlone;
}

/** Of a document whose permissions could not be read. */
export function unknownReaders(error: AnnealError): AnnealError {
  return whileRefused("Who may read it cannot be read.", "Until then it is shown to nobody.", error);
}

/** In the place of a group that is left out of a directory. @param name as people know it */
export function unknownMembers(name: string, error: AnnealError): DirectoryEntry {
  const what = `Who is in ${quoteName(name)} cannot be read.`;
  return { type: "failure", error: whileRefused(what, "Until then it lets nobody in.", error).toReport() };
}

/** In the place of the people whom a directory would have from a document. */
export function unknownPeople(title: string, error: AnnealError): DirectoryEntry {
  const what = `Who may read ${quoteName(title)} cannot be read.`;
  const until = "Until then the people whom nothing else names are not known.";
  return { type: "failure", error: whileRefused(what, until, error).toReport() };
}

function whileRefused(what: string, until: string, error: AnnealError): AnnealError {
  const { message, action } = error.toReport();
  return new AnnealError("SOURCE_UNREACHABLE", `${what} ${message}`, { action: `${until} ${action}` });
}

const maxNameLength = 80;

/** Whoever writes names may write one as long as a book, or one that no database holds. */
function quoteName(name: string): string {
  return `"${name.slice(0, maxNameLength).replaceAll("\0", "\ufffd").toWellFormed()}"`;
}
