import { refuseSigned, RemoteTrouble } from "../conformance/remote-trouble.ts";
import { startApi, type ApiAnswer, type ApiRequest, type TestApi } from "../conformance/start-api.ts";

type StoredDocument = { text: string; revision: number; updatedAt: string; readers: string[] | undefined };

/**
 * The service as its documentation describes it, with state that a test can change. Where the real one can be started on
 * any machine, start that instead.
 */
export type FakeTemplateSource = TestApi & {
  trouble: RemoteTrouble;
  documents: Map<string, StoredDocument>;
  groups: Map<string, string[]>;
  /** Their content is refused. */
  locked: Set<string>;
  gone: boolean;
  /** How far its clock is ahead of ours. */
  aheadMs: number;
  token: string;
  put(id: string, text: string): void;
};

const pageSize = 2;

export async function startFakeTemplateSource(): Promise<FakeTemplateSource> {
  let revision = 0;
  const state = {
    documents: new Map<string, StoredDocument>(),
    groups: new Map<string, string[]>(),
    locked: new Set<string>(),
    gone: false,
    aheadMs: 0,
    token: "read-token",
    put(id: string, text: string) {
      revision += 1;
      const updatedAt = new Date(Date.now() + state.aheadMs).toISOString();
      state.documents.set(id, { text, revision, updatedAt, readers: state.documents.get(id)?.readers ?? [] });
    },
  };

  const answer = ({ path, query, headers }: ApiRequest): ApiAnswer => {
    if (state.gone) return { status: 404 };
    if (headers.authorization !== `Bearer ${state.token}`) return { status: 401 };
    const [, id] = /^\/documents\/([^/]+)\/content$/.exec(path) ?? [];
    if (id !== undefined) return content(decodeURIComponent(id));
    if (path === "/documents") return list(query.get("from") ?? "");
    if (path !== "/groups") return { status: 404 };
    return { body: { groups: [...state.groups].map(([name, members]) => ({ name, members })) } };
  };
  const content = (id: string): ApiAnswer => {
    if (state.locked.has(id)) return { status: 403 };
    const found = state.documents.get(id);
    return found === undefined ? { status: 404 } : { body: found.text };
  };
  const list = (from: string): ApiAnswer => {
    const all = [...state.documents];
    const behind = all.filter(([id]) => id > from).sort(([a], [b]) => (a < b ? -1 : 1));
    const page = behind.slice(0, pageSize);
    const documents = page.map(([id, document]) => ({
      id,
      title: id.split("/").at(-1),
      link: `https://template-source.example/${encodeURIComponent(id)}`,
      revision: String(document.revision),
      updated_at: document.updatedAt,
      size: Buffer.byteLength(document.text),
      readers: document.readers,
    }));
    return { body: { documents, total: all.length, next: behind.length > page.length ? page.at(-1)?.[0] : null } };
  };
  /** How the service refuses, in its own form. */
  const trouble = new RemoteTrouble({
    busy: (waitSeconds) => ({ status: 429, headers: { "retry-after": String(waitSeconds) }, body: {} }),
    credentials: refuseSigned({ status: 401, body: {} }),
  });
  return Object.assign(state, { trouble }, await startApi(answer, trouble));
}
