import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { refuseSigned, RemoteTrouble } from "../remote-trouble.ts";
import { SettledLists } from "../settled-lists.ts";
import { compareTs } from "../../src/slack/message.ts";
import { SlackState, type FakeChannel, type FakeMessage, type FakeUser } from "./slack-state.ts";

/**
 * The part of Slack's Web API that a bot reads with, after its published pages: auth.test, users.conversations,
 * conversations.history, conversations.replies, conversations.members, users.list, users.info; "Pagination",
 * "Rate limits" and "Using the Slack Web API" (errors come with status 200 and `ok: false`).
 */
export class FakeSlack extends SlackState {
  readonly token = "xoxb-fake-1";
  readonly scopes = new Set([
    "channels:read",
    "channels:history",
    "groups:read",
    "groups:history",
    "users:read",
    "users:read.email",
  ]);
  /** Answers hold at most this many items, whatever the caller asks for: Slack may send fewer too. */
  pageSize = 2;
  readonly lists = new SettledLists();
  /** The methods called, in order, with what identifies the call. */
  readonly calls: { method: string; channel: string | null; ts: string | null }[] = [];
  /** An error for every call, such as "token_revoked". */
  refusal: string | null = null;
  /** Threads and channels whose replies or members Slack fails to give. */
  readonly brokenThreads = new Set<string>();
  readonly brokenMembers = new Set<string>();
  readonly brokenHistories = new Set<string>();
  /** Before everything that is asked. */
  readonly trouble = new RemoteTrouble({
    busy: (waitSeconds) => ({
      status: 429,
      headers: { "retry-after": String(waitSeconds) },
      body: fail("ratelimited"),
    }),
    credentials: refuseSigned({ status: 200, body: fail("token_revoked") }),
  });
  #staleCursors = 0;

  readonly #server = createServer(this.trouble.before((request, response) => void this.#answer(request, response)));

  /** @param teamId of the workspace */
  static async start(teamId?: string): Promise<FakeSlack> {
    const fake = new FakeSlack(teamId);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/`;
  }

  /** The next call with a cursor is told that it is not valid. */
  expireCursor(): void {
    this.#staleCursors += 1;
  }

  countOf(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://slack.invalid");
    const method = url.pathname.replace(/^\/api\//, "");
    // Arguments come in the address, in a form, or in both.
    const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded") === true;
    const form = new URLSearchParams(isForm ? await text(request) : "");
    const query = new URLSearchParams([...url.searchParams, ...form]);
    this.calls.push({ method, channel: query.get("channel"), ts: query.get("ts") });
    const body = JSON.stringify(this.#resultOf(method, query, request.headers.authorization));
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  }

  #resultOf(method: string, query: URLSearchParams, authorization: string | undefined): Answer {
    if (authorization === undefined) return fail("not_authed");
    if (authorization !== `Bearer ${this.token}`) return fail("invalid_auth");
    if (this.refusal !== null) return fail(this.refusal);
    if (query.get("cursor") && this.#staleCursors > 0) {
      this.#staleCursors -= 1;
      return fail("invalid_cursor");
    }
    switch (method) {
      case "auth.test":
        return { ok: true, url: "https://acme.slack.com/", team: "Acme", team_id: this.teamId, user_id: this.botId };
      case "users.conversations":
        return this.#listChannels(query);
      case "conversations.history":
        return this.#inChannel(query, "history", (channel) => this.#history(channel, query));
      case "conversations.replies":
        return this.#inChannel(query, "history", (channel) => this.#replies(channel, query));
      case "conversations.members":
        return this.#inChannel(query, "read", (channel) =>
          this.brokenMembers.has(channel.id)
            ? fail("fetch_members_failed")
            : this.#page([...channel.members], query, (members) => ({ members })),
        );
      case "users.list":
        if (!this.scopes.has("users:read")) return missing("users:read");
        return this.#page([...this.users.values()], query, (users) => ({
          members: users.map((user) => this.#userOf(user)),
        }));
      case "users.info": {
        if (!this.scopes.has("users:read")) return missing("users:read");
        const user = this.users.get(query.get("user") ?? "");
        return user === undefined ? fail("user_not_found") : { ok: true, user: this.#userOf(user) };
      }
      default:
        return fail("unknown_method");
    }
  }

  #listChannels(query: URLSearchParams): Answer {
    const types = (query.get("types") ?? "public_channel").split(",");
    for (const [type, scope] of [
      ["public_channel", "channels:read"],
      ["private_channel", "groups:read"],
      ["im", "im:read"],
      ["mpim", "mpim:read"],
    ] as const) {
      if (types.includes(type) && !this.scopes.has(scope)) return missing(scope);
    }
    const channels = [...this.channels.values()].filter(
      (channel) => channel.members.has(this.botId) && types.includes(typeOf(channel)),
    );
    return this.#page(channels, query, (page) => ({
      channels: page.map(({ id, name, kind, isPrivate, created }) => ({
        id,
        name,
        created: Math.floor(created.getTime() / 1000),
        is_channel: kind === "channel",
        is_im: kind === "im",
        is_mpim: kind === "mpim",
        is_private: isPrivate || kind !== "channel",
        is_archived: false,
      })),
    }));
  }

  #inChannel(query: URLSearchParams, right: "read" | "history", then: (channel: FakeChannel) => Answer): Answer {
    const channel = this.channels.get(query.get("channel") ?? "");
    if (channel === undefined) return fail("channel_not_found");
    const scope = `${channel.isPrivate ? "groups" : "channels"}:${right}`;
    if (!this.scopes.has(scope)) return missing(scope);
    if (channel.members.has(this.botId)) return then(channel);
    return fail(channel.isPrivate ? "channel_not_found" : "not_in_channel");
  }

  #history(channel: FakeChannel, query: URLSearchParams): Answer {
    if (this.brokenHistories.has(channel.id)) return fail("internal_error");
    const oldest = query.get("oldest") ?? "0.000000";
    const latest = query.get("latest");
    const inclusive = query.get("inclusive") === "true";
    const least = inclusive ? 0 : 1;
    const messages = this.lists.of(`${channel.id} ${oldest} ${latest} ${inclusive}`, () => {
      const found = [...channel.messages.values()]
        .filter(({ threadTs, broadcast }) => threadTs === null || broadcast)
        .filter(({ ts }) => compareTs(ts, oldest) >= least && (latest === null || compareTs(latest, ts) >= least))
        .sort((a, b) => compareTs(b.ts, a.ts));
      // Without a latest the ones closest to the oldest come first.
      return latest === null && query.has("oldest") ? found.reverse() : found;
    });
    return this.#page(messages, query, (page) => ({
      messages: page.map((message) => this.#messageOf(channel, message)),
    }));
  }

  #replies(channel: FakeChannel, query: URLSearchParams): Answer {
    const root = channel.messages.get(query.get("ts") ?? "");
    if (root === undefined) return fail("thread_not_found");
    if (this.brokenThreads.has(root.ts)) return fail("internal_error");
    const replies = this.repliesTo(channel, root.ts).sort((a, b) => compareTs(a.ts, b.ts));
    return this.#page(replies, query, (page) => ({
      messages: [root, ...page].map((message) => this.#messageOf(channel, message)),
    }));
  }

  #messageOf(channel: FakeChannel, message: FakeMessage): Record<string, unknown> {
    const replies = this.repliesTo(channel, message.ts);
    const latest = replies
      .map(({ ts }) => ts)
      .sort(compareTs)
      .at(-1);
    return {
      type: "message",
      ts: message.ts,
      user: message.user,
      text: message.text,
      ...(message.subtype === null ? {} : { subtype: message.subtype }),
      ...(message.broadcast ? { subtype: "thread_broadcast" } : {}),
      ...(message.threadTs === null ? {} : { thread_ts: message.threadTs, parent_user_id: message.user }),
      ...(latest === undefined
        ? {}
        : { thread_ts: message.ts, reply_count: replies.length, latest_reply: latest, is_locked: false }),
      ...(message.editedTs === null ? {} : { edited: { user: message.user, ts: message.editedTs } }),
      ...(message.files.length === 0 ? {} : { files: message.files }),
    };
  }

  #userOf(user: FakeUser): Record<string, unknown> {
    return {
      id: user.id,
      team_id: user.teamId,
      name: user.name.toLowerCase(),
      deleted: user.deleted,
      is_bot: user.bot,
      is_restricted: user.guest,
      is_ultra_restricted: false,
      is_stranger: user.stranger,
      is_email_confirmed: user.emailConfirmed,
      profile: {
        real_name: user.name,
        display_name: "",
        ...(this.scopes.has("users:read.email") && user.email !== "" ? { email: user.email } : {}),
      },
    };
  }

  #page<T>(items: T[], query: URLSearchParams, show: (page: T[]) => Record<string, unknown>): Answer {
    const start = Number(
      Buffer.from(query.get("cursor") ?? "", "base64")
        .toString()
        .replace("next:", "") || 0,
    );
    const end = start + Math.min(this.pageSize, Number(query.get("limit") ?? 100));
    const next = end < items.length ? Buffer.from(`next:${end}`).toString("base64") : "";
    return {
      ok: true,
      ...show(items.slice(start, end)),
      has_more: next !== "",
      response_metadata: { next_cursor: next },
    };
  }
}

type Answer = { ok: boolean; [key: string]: unknown };

function fail(error: string): Answer {
  return { ok: false, error };
}

function missing(scope: string): Answer {
  return { ok: false, error: "missing_scope", needed: scope, provided: "chat:write" };
}

function typeOf(channel: FakeChannel): string {
  if (channel.kind !== "channel") return channel.kind;
  return channel.isPrivate ? "private_channel" : "public_channel";
}
