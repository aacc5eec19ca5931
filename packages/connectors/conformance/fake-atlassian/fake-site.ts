import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** Accounts and groups of an Atlassian site, as its admin hub keeps them for all its products. */
export type FakeAccount = {
  accountId: string;
  displayName: string;
  email: string | null;
  active: boolean;
  type: string;
};
export type FakeGroup = { id: string; name: string; members: Set<string> };

export type Asked = {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** null: a stranger. */
  accountId: string | null;
};
export type Answer = {
  status?: number;
  body?: unknown;
  bytes?: Uint8Array;
  headers?: Record<string, string>;
  cutOff?: boolean;
};

export type FakeSite = {
  url: string;
  /** The account that the connector signs in with, and its API token. */
  bot: FakeAccount;
  token: string;
  accounts: Map<string, FakeAccount>;
  groups: Map<string, FakeGroup>;
  addAccount(name: string, account?: Partial<FakeAccount>): FakeAccount;
  /** Creates the group or replaces its members, which are accounts' ids. */
  setGroup(name: string, members: readonly string[]): FakeGroup;
  isIn(accountId: string, groupIds: Iterable<string>): boolean;
  /** Answers the next request to a path with this beginning so, whatever it asks. */
  answerOnce(pathPrefix: string, answer: Answer): void;
  /** What was asked since the last look: "GET /rest/…". */
  takeLog(): string[];
  close(): Promise<void>;
};

/**
 * Signs in with Basic authentication (e-mail address and API token) as Atlassian's cloud does, see "Basic auth for REST
 * APIs" in its documentation; wrong credentials are 401, none are a stranger's.
 */
export async function startFakeSite(route: (asked: Asked, site: FakeSite) => Answer): Promise<FakeSite> {
  const accounts = new Map<string, FakeAccount>();
  const groups = new Map<string, FakeGroup>();
  const planned: { pathPrefix: string; answer: Answer }[] = [];
  let log: string[] = [];

  const server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const addAccount: FakeSite["addAccount"] = (name, account = {}) => {
    const added: FakeAccount = {
      accountId: `712020:${name}`,
      displayName: name,
      email: `${name}@acme.example`,
      active: true,
      type: "atlassian",
      ...account,
    };
    accounts.set(added.accountId, added);
    return added;
  };
  const site: FakeSite = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bot: addAccount("bot"),
    token: "api-token-of-bot",
    accounts,
    groups,
    addAccount,
    setGroup(name, members) {
      const group = groups.get(`group-id-${name}`) ?? { id: `group-id-${name}`, name, members: new Set() };
      group.members = new Set(members);
      groups.set(group.id, group);
      return group;
    },
    isIn: (accountId, ids) => [...ids].some((id) => groups.get(id)?.members.has(accountId) ?? false),
    answerOnce: (pathPrefix, answer) => planned.push({ pathPrefix, answer }),
    takeLog() {
      const taken = log;
      log = [];
      return taken;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", site.url);
    const path = decodeURIComponent(url.pathname);
    log.push(`${request.method} ${path}`);
    const at = planned.findIndex(({ pathPrefix }) => path.startsWith(pathPrefix));
    if (at >= 0) return send(response, planned.splice(at, 1)[0]!.answer);
    const { authorization } = request.headers;
    const expected = `Basic ${Buffer.from(`${site.bot.email}:${site.token}`).toString("base64")}`;
    if (authorization !== undefined && authorization !== expected) {
      return send(response, {
        status: 401,
        body: { message: "Client must be authenticated to access this resource." },
      });
    }
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const asked: Asked = {
      method: request.method ?? "GET",
      path,
      query: url.searchParams,
      body: text === "" ? {} : (JSON.parse(text) as Record<string, unknown>),
      accountId: authorization === undefined ? null : site.bot.accountId,
    };
    send(response, route(asked, site));
  }

  return site;
}

function send(response: ServerResponse, { status = 200, body, bytes, headers, cutOff = false }: Answer): void {
  const sent = bytes ?? Buffer.from(JSON.stringify(body ?? {}));
  response.writeHead(status, {
    "content-type": bytes === undefined ? "application/json" : "application/octet-stream",
    "content-length": sent.byteLength,
    ...headers,
  });
  if (!cutOff) return void response.end(sent);
  response.write(sent.subarray(0, sent.byteLength / 2), () => response.destroy());
}

export const notFound: Answer = { status: 404, body: { errors: [{ status: 404, code: "NOT_FOUND" }] } };

/** Part of a list, by a cursor that tells where it goes on: the last one seen, so that changes do not shift it. */
export function cutPage<T extends { id: string }>(
  all: readonly T[],
  query: URLSearchParams,
  largest: number,
): { results: T[]; cursor: string | null } {
  const after = query.get("cursor");
  const start = after === null ? 0 : all.findIndex(({ id }) => id === after) + 1;
  const results = all.slice(start, start + Math.min(Number(query.get("limit") ?? 25), largest));
  const last = results.at(-1);
  return { results, cursor: last !== undefined && last !== all.at(-1) ? last.id : null };
}
