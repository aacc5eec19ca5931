import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { StaleStatus } from "../describe-remote.ts";
import { refuseSigned, RemoteTrouble } from "../remote-trouble.ts";
import { SettledLists } from "../settled-lists.ts";

export const deployments = ["cloud", "data-center"] as const;
export type FakeDeployment = (typeof deployments)[number];

/** Accounts and groups of a site: of the admin hub in the cloud, of the product's user directory on Data Center. */
export type FakeAccount = {
  /** What permissions name the account by: an account id, or a user key. */
  accountId: string;
  /** Data Center's; nothing of the cloud's. */
  username: string;
  displayName: string;
  email: string | null;
  active: boolean;
  type: string;
};
export type FakeGroup = {
  /** What permissions name the group by: an id, or its name. */
  id: string;
  name: string;
  members: Set<string>;
  /** Ids of groups in it; Data Center's only. */
  children: Set<string>;
};

export type Asked = {
  method: string;
  /** Below the context path. */
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
  deployment: FakeDeployment;
  /** With the context path. */
  url: string;
  lists: SettledLists;
  /** The most contents, or issues, of one answer. */
  pageSize: number;
  /** The account that the connector signs in with, its API token or personal access token, and its password. */
  bot: FakeAccount;
  token: string;
  password: string;
  /** The cloud's: by which the account gets tokens as a service account. */
  credential: { clientId: string; clientSecret: string };
  /** The service account's tokens that were given out so far end, as they do by themselves after an hour. */
  expireTokens(): void;
  accounts: Map<string, FakeAccount>;
  groups: Map<string, FakeGroup>;
  idOf(person: string): string;
  groupIdOf(group: string): string;
  addAccount(name: string, account?: Partial<FakeAccount>): FakeAccount;
  /** Creates the group or replaces its members, which are accounts' ids, and the groups in it. */
  setGroup(name: string, members: readonly string[], children?: readonly string[]): FakeGroup;
  isIn(accountId: string, groupIds: Iterable<string>): boolean;
  /** Answers the next request to a path with this beginning so, whatever it asks. */
  answerOnce(pathPrefix: string, answer: Answer): void;
  /** Does something between two requests: before the first one that it is meant for is answered. */
  beforeOnce(isMeant: (asked: Asked) => boolean, act: () => void): void;
  /** Before everything that is asked. */
  trouble: RemoteTrouble;
  /** The next position in a list that is shown is refused. */
  expireCursor(status: StaleStatus): void;
  /** What was asked since the last look: "GET /rest/…". */
  takeLog(): string[];
  close(): Promise<void>;
};

/**
 * Signs in as "Basic auth for REST APIs" (cloud: e-mail address and API token; Data Center: user name and password) and
 * "Personal access tokens" (Data Center) document it, and a service account as "Create OAuth 2.0 credential for service
 * accounts" (cloud) does, at `/oauth/token`; wrong credentials are 401, none are a stranger's. Data Center sends
 * its rate limit's headers with every answer to an account, `Retry-After: 0` while there is room ("Adjusting your code for
 * rate limiting").
 */
export async function startFakeSite(
  deployment: FakeDeployment,
  context: string,
  route: (asked: Asked, site: FakeSite) => Answer,
): Promise<FakeSite> {
  const accounts = new Map<string, FakeAccount>();
  const groups = new Map<string, FakeGroup>();
  const planned: { pathPrefix: string; answer: Answer }[] = [];
  const deeds: { isMeant: (asked: Asked) => boolean; act: () => void }[] = [];
  let log: string[] = [];
  let staleCursors = 0;
  let staleStatus: StaleStatus = 400;
  let accessTokens = 0;
  let endedTokens = 0;

  const isCloud = deployment === "cloud";
  const trouble = new RemoteTrouble({
    busy: (waitSeconds) => ({
      status: 429,
      headers: { ...(isCloud ? {} : noRoomLeft), "retry-after": String(waitSeconds) },
      body: { message: "Rate limit exceeded." },
    }),
    credentials: refuseSigned(wrongCredentials),
  });
  const server = createServer(trouble.before((request, response) => void respond(request, response)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const idOf = (person: string) => (isCloud ? `712020:${person}` : `key-of-${person}`);
  const groupIdOf = (group: string) => (isCloud ? `group-id-${group}` : group);
  const addAccount: FakeSite["addAccount"] = (name, account = {}) => {
    const added: FakeAccount = {
      accountId: idOf(name),
      username: name,
      displayName: name,
      email: `${name}@acme.example`,
      active: true,
      type: "atlassian",
      ...account,
    };
    accounts.set(added.accountId, added);
    return added;
  };
  const holds = (groupId: string, accountId: string, seen: Set<string>): boolean => {
    const group = groups.get(groupId);
    if (group === undefined || seen.has(groupId)) return false;
    seen.add(groupId);
    return group.members.has(accountId) || [...group.children].some((child) => holds(child, accountId, seen));
  };
  const site: FakeSite = {
    deployment,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${isCloud ? "" : context}`,
    bot: addAccount("bot"),
    lists: new SettledLists(),
    pageSize: 3,
    token: "api-token-of-bot",
    password: "password-of-bot",
    credential: { clientId: "client-id-of-bot", clientSecret: "client-secret-of-bot" },
    expireTokens: () => void (endedTokens = accessTokens),
    accounts,
    groups,
    idOf,
    groupIdOf,
    addAccount,
    setGroup(name, members, children = []) {
      const id = groupIdOf(name);
      const group = groups.get(id) ?? { id, name, members: new Set(), children: new Set() };
      group.members = new Set(members);
      group.children = new Set(children);
      groups.set(id, group);
      return group;
    },
    isIn: (accountId, ids) => [...ids].some((id) => holds(id, accountId, new Set())),
    answerOnce: (pathPrefix, answer) => planned.push({ pathPrefix, answer }),
    beforeOnce: (isMeant, act) => deeds.push({ isMeant, act }),
    trouble,
    expireCursor(status) {
      staleCursors += 1;
      staleStatus = status;
    },
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

  const basic = (user: string | null, password: string) =>
    `Basic ${Buffer.from(`${user ?? ""}:${password}`).toString("base64")}`;
  const liveTokens = () =>
    Array.from({ length: accessTokens - endedTokens }, (_, index) => `Bearer access-token-${endedTokens + index + 1}`);
  const accepted = () =>
    isCloud
      ? [basic(site.bot.email, site.token), ...liveTokens()]
      : [`Bearer ${site.token}`, basic(site.bot.username, site.password)];

  function giveToken({ method, body }: Asked): Answer {
    const { clientId, clientSecret } = site.credential;
    if (method !== "POST" || body.grant_type !== "client_credentials") {
      return { status: 400, body: { error: "unsupported_grant_type" } };
    }
    if (body.client_id !== clientId || body.client_secret !== clientSecret) {
      return { status: 401, body: { error: "access_denied", error_description: "Unauthorized" } };
    }
    accessTokens += 1;
    const token = { access_token: `access-token-${accessTokens}`, expires_in: 3600, token_type: "Bearer" };
    return { body: { ...token, scope: "read:jira-work" } };
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", site.url);
    const whole = decodeURIComponent(url.pathname);
    const isBelow = isCloud || whole.startsWith(`${context}/`);
    const path = isCloud || !isBelow ? whole : whole.slice(context.length);
    log.push(`${request.method} ${path}`);
    const at = planned.findIndex(({ pathPrefix }) => path.startsWith(pathPrefix));
    if (at >= 0) return send(response, planned.splice(at, 1)[0]!.answer);
    const { authorization } = request.headers;
    if (authorization !== undefined && !accepted().includes(authorization)) {
      return send(response, wrongCredentials);
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
    if (isCloud && path === "/oauth/token") return send(response, giveToken(asked));
    if (staleCursors > 0 && (asked.query.has("cursor") || asked.body.nextPageToken !== undefined)) {
      staleCursors -= 1;
      return send(response, { ...staleCursor, status: staleStatus });
    }
    const deed = deeds.findIndex(({ isMeant }) => isMeant(asked));
    if (deed >= 0) deeds.splice(deed, 1)[0]!.act();
    const answer = isBelow ? route(asked, site) : notFound;
    const isLimited = !isCloud && asked.accountId !== null;
    send(response, isLimited ? { ...answer, headers: { ...roomLeft, ...answer.headers } } : answer);
  }

  return site;
}

const wrongCredentials = {
  status: 401,
  body: { message: "Client must be authenticated to access this resource." },
} as const satisfies Answer;

const staleCursor = {
  status: 400,
  body: { message: "The cursor or page token is not valid." },
} as const satisfies Answer;

const noRoomLeft = {
  "x-ratelimit-limit": "100",
  "x-ratelimit-remaining": "0",
  "x-ratelimit-interval-seconds": "1",
  "x-ratelimit-fillrate": "100",
};

const roomLeft = {
  "x-ratelimit-limit": "100",
  "x-ratelimit-remaining": "99",
  "x-ratelimit-interval-seconds": "1",
  "x-ratelimit-fillrate": "100",
  "retry-after": "0",
};

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

/** Part of a list, by a count, which changes shift. */
export function cutCounted<T>(
  all: readonly T[],
  start: number,
  limit: number,
): { results: T[]; start: number; limit: number; size: number } {
  const results = all.slice(start, start + limit);
  return { results, start, limit, size: results.length };
}
