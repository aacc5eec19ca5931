import type { ApiAnswer } from "../start-api.ts";
import { viewNotes, type NotesState } from "./notes-state.ts";

type Query = { query: string; variables: Record<string, unknown> };

/** Knows its queries by their first field; what it answers is whole, whichever fields are asked for. */
export function answerQuery(state: NotesState, body: string): ApiAnswer {
  const { query, variables } = JSON.parse(body) as Query;
  const field = /\{\s*(\w+)/.exec(query)?.[1];
  switch (field) {
    case "notes":
      return connection(state, variables);
    case "note": {
      const id = String(variables.id);
      if (state.broken.has(id)) return refusal("The note is locked.", "FORBIDDEN");
      return { body: { data: { note: state.notes.get(id) ?? null } } };
    }
    case "groups":
      return { body: { data: { groups: [...state.groups].map(([id, members]) => ({ id, members })) } } };
    default:
      return { status: 400, body: { errors: [{ message: `Cannot query field "${field}" on type "Query".` }] } };
  }
}

function connection(state: NotesState, { first, after, since }: Record<string, unknown>): ApiAnswer {
  if (after !== undefined && state.staleCursors > 0) {
    state.staleCursors -= 1;
    return refusal("The cursor is no longer valid.", "BAD_USER_INPUT");
  }
  const all = viewNotes(state, typeof since === "string" ? since : "");
  const seen = after === undefined ? "" : Buffer.from(String(after), "base64url").toString();
  const start = all.findIndex(({ id }) => id > seen);
  const nodes = start < 0 ? [] : all.slice(start, start + Number(first));
  const last = nodes.at(-1)?.id;
  const pageInfo = {
    hasNextPage: last !== undefined && last !== all.at(-1)?.id,
    endCursor: last === undefined ? null : Buffer.from(last).toString("base64url"),
  };
  return { body: { data: { notes: { totalCount: all.length, edges: nodes.map((node) => ({ node })), pageInfo } } } };
}

function refusal(message: string, code: string): ApiAnswer {
  return { body: { data: null, errors: [{ message, extensions: { code } }] } };
}
