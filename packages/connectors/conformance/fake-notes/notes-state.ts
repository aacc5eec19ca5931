import type { StaleStatus } from "../describe-remote.ts";
import type { SettledLists } from "../settled-lists.ts";
import type { ApiAnswer } from "../start-api.ts";

export type Note = { text: string; updatedAt: string; allow: unknown; deny: unknown };

export type NotesState = {
  notes: Map<string, Note>;
  lists: SettledLists;
  groups: Map<string, readonly string[]>;
  /** Their text is refused. */
  broken: Set<string>;
  /** Nothing answers any more. */
  gone: boolean;
  /** null: everybody may read; else what the authorization header, or the parameter `key`, must be. */
  credential: string | null;
  /** Answers of these come first, each once. */
  faults: ApiAnswer[];
  /** So many requests with a cursor are told that it is too old. */
  staleCursors: number;
  /** How the REST API refuses them. */
  staleStatus: StaleStatus;
  /** What a REST listing calls a page; GraphQL's comes from its variables. */
  pageSize: number;
  /** How far its clock is ahead of ours. */
  aheadMs: number;
  put(name: string, text: string, updatedAt?: string): void;
};

/** In the order of their ids. @param since those that were changed at this time or later; "" for all */
export function viewNotes({ notes, lists }: NotesState, since: string) {
  return lists.of(since, () =>
    [...notes]
      .filter(([, { updatedAt }]) => updatedAt >= since)
      .map(([id, { text, updatedAt, allow, deny }]) => ({
        id,
        name: id.split("/").at(-1),
        updatedAt,
        text,
        readers: { allow, deny },
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
}
