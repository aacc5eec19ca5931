import type { IncomingHttpHeaders } from "node:http";
import { RemoteTrouble } from "../remote-trouble.ts";
import { SettledLists } from "../settled-lists.ts";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../start-api.ts";
import { answerQuery } from "./answer-query.ts";
import { viewNotes, type NotesState } from "./notes-state.ts";

/**
 * An invented service of notes that answers as REST and as GraphQL services do: pages by number, by offset, by cursor, by
 * Link header (RFC 8288) and by next address; connections (the "GraphQL Cursor Connections Specification"); client
 * credentials (RFC 6749, 4.4); API keys; 429 with Retry-After; 410 for a cursor that is too old.
 */
export type FakeNotes = TestApi & NotesState & { trouble: RemoteTrouble };

export async function startFakeNotes(): Promise<FakeNotes> {
  let lastMs = 0;
  const state: NotesState = {
    notes: new Map(),
    lists: new SettledLists(),
    groups: new Map(),
    broken: new Set(),
    gone: false,
    credential: null,
    faults: [],
    staleCursors: 0,
    staleStatus: 410,
    pageSize: 2,
    aheadMs: 0,
    put(name, text, updatedAt) {
      // Two changes never have one time.
      lastMs = Math.max(Date.now(), lastMs + 1);
      const { allow = [], deny = [] } = state.notes.get(name) ?? {};
      state.notes.set(name, {
        text,
        updatedAt: updatedAt ?? new Date(lastMs + state.aheadMs).toISOString(),
        allow,
        deny,
      });
    },
  };
  const trouble = new RemoteTrouble({
    busy: (waitSeconds) => ({
      status: 429,
      headers: { "retry-after": String(waitSeconds) },
      body: { error: "Not so fast." },
    }),
    credentials: ({ headers, url = "" }) =>
      shownBy(headers, new URL(url, "http://notes.invalid").searchParams) === null ? null : strangers,
  });
  const api = await startApi((request) => {
    const answered = answer(state, api.origin, request);
    const date = new Date(Date.now() + state.aheadMs).toUTCString();
    return { ...answered, headers: { date, ...answered.headers } };
  }, trouble);
  return Object.assign(state, api, { trouble });
}

const strangers = { status: 401, body: { error: "who are you?" } };

function shownBy(headers: IncomingHttpHeaders, query: URLSearchParams): string | null {
  return headers.authorization ?? headers["x-api-key"]?.toString() ?? query.get("key");
}

function answer(state: NotesState, origin: string, request: ApiRequest): ApiAnswer {
  const { path, query, headers } = request;
  if (state.gone) return { status: 404, body: "not here" };
  const fault = state.faults.shift();
  if (fault) return fault;
  if (path === "/oauth/token") return giveToken(state, request);
  if (state.credential !== null && shownBy(headers, query) !== state.credential) return strangers;
  if (path === "/graphql") return answerQuery(state, request.body);
  if (path === "/api/groups") {
    const groups = [...state.groups].map(([id, members]) => ({ id, members }));
    return { body: { data: { groups: query.get("page") === "2" ? [] : groups }, meta: {} } };
  }
  const [, encoded] = /^\/api\/notes\/([^/]+)\/text$/.exec(path) ?? [];
  if (encoded !== undefined) return textOf(state, decodeURIComponent(encoded));
  return path === "/api/notes" ? listNotes(state, origin, query) : { status: 404, body: "no such path" };
}

function giveToken(state: NotesState, { method, headers, body }: ApiRequest): ApiAnswer {
  const form = new URLSearchParams(body);
  const basic = Buffer.from((headers.authorization ?? "").replace("Basic ", ""), "base64").toString();
  if (method !== "POST" || form.get("grant_type") !== "client_credentials" || form.get("scope") !== "notes.read") {
    return { status: 400, body: { error: "invalid_request" } };
  }
  if (basic !== "portal:client%2Bsecret") {
    return { status: 401, body: { error: "invalid_client", error_description: `not ${basic}` } };
  }
  return { body: { access_token: (state.credential ?? "").replace("Bearer ", ""), token_type: "Bearer" } };
}

function textOf(state: NotesState, name: string): ApiAnswer {
  const note = state.notes.get(name);
  if (note === undefined) return { status: 404, body: "no such note" };
  return state.broken.has(name) ? { status: 403, body: "locked" } : { body: note.text };
}

/** All ways to page at once; a caller uses the one that it knows. */
function listNotes(state: NotesState, origin: string, query: URLSearchParams): ApiAnswer {
  const cursor = query.get("cursor");
  if (cursor !== null && state.staleCursors > 0) {
    state.staleCursors -= 1;
    return { status: state.staleStatus, body: { error: "The cursor has expired." } };
  }
  const since = query.get("updated_since") ?? "";
  const all = viewNotes(state, since);
  const start =
    cursor !== null
      ? all.findIndex(({ id }) => id > Buffer.from(cursor, "base64url").toString())
      : query.has("page")
        ? (Number(query.get("page")) - 1) * state.pageSize
        : Number(query.get("offset") ?? 0);
  const items = start < 0 ? [] : all.slice(start, start + state.pageSize);
  const last = items.at(-1)?.id;
  const more = last !== undefined && last !== all.at(-1)?.id;
  const next = more ? Buffer.from(last).toString("base64url") : null;
  const address = new URL(`${origin}/api/notes?${query}`);
  if (next !== null) address.searchParams.set("cursor", next);
  return {
    headers: next === null ? {} : { link: `<${origin}/api/notes>; rel="first", <${address.href}>; rel="next"` },
    body: {
      data: { items },
      meta: { total: all.length, next_cursor: next, next: next && `${address.pathname}${address.search}` },
    },
  };
}
