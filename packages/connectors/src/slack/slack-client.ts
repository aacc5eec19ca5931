import { AnnealError, type ErrorCode } from "@anneal/core/errors";
import { z } from "zod";
import type { ConnectContext } from "../connector.ts";
import { createRemoteClient, type RemoteClient, type RemoteRequest } from "../remote/remote-client.ts";
import type { SlackConfig, SlackSecrets } from "./config.ts";

export type SlackClient = {
  /** @throws SlackError for an answer with `ok: false`, which Slack sends with status 200 */
  call<T>(method: string, schema: z.ZodType<T>, query?: RemoteRequest["query"]): Promise<T>;
  /** Every page of a method that answers with `response_metadata.next_cursor`. */
  pages<T>(method: string, schema: z.ZodType<T>, query?: RemoteRequest["query"]): AsyncIterable<T>;
  close(): Promise<void>;
};

/** What Slack said no to: `item` is about one channel, thread or person, `source` about everything. */
class SlackError extends AnnealError {
  readonly slackCode: string;
  readonly concerns: "source" | "item";

  constructor(slackCode: string, concerns: "source" | "item", described: AnnealError) {
    super(described.code, described.message, {
      action: described.action,
      details: { ...described.details, slackCode },
      retryable: described.retryable,
    });
    this.slackCode = slackCode;
    this.concerns = concerns;
  }
}

export function isAboutOneItem(error: unknown): error is SlackError {
  return error instanceof SlackError && error.concerns === "item";
}

/** Slack advises 200 and answers with fewer as it likes. */
const pageSize = 200;

const envelopeSchema = z.looseObject({ ok: z.boolean() });
const failureSchema = z.looseObject({ error: z.string().default("unknown_error"), needed: z.string().nullish() });
const positionSchema = z.looseObject({
  response_metadata: z.looseObject({ next_cursor: z.string().nullish() }).nullish(),
});

export function createSlackClient(
  config: SlackConfig,
  secrets: SlackSecrets,
  context: Pick<ConnectContext, "signal" | "limits">,
): SlackClient {
  // Slack's budgets and its Retry-After are per method: one that waits must not hold up the others.
  const clients = new Map<string, RemoteClient>();
  const clientOf = (method: string): RemoteClient => {
    const existing = clients.get(method);
    if (existing !== undefined) return existing;
    const created = createRemoteClient({
      service: "Slack",
      baseUrl: config.apiUrl.endsWith("/") ? config.apiUrl : `${config.apiUrl}/`,
      allowPrivateHosts: config.allowPrivateHosts,
      context,
      authorize: async () => ({ authorization: `Bearer ${secrets.botToken}` }),
    });
    clients.set(method, created);
    return created;
  };
  const answerOf = async (method: string, query: RemoteRequest["query"] = {}) => {
    const answer = await clientOf(method).json(method, envelopeSchema, { query });
    if (!answer.ok) throw toSlackError(method, failureSchema.parse(answer));
    return answer;
  };

  return {
    call: async (method, schema, query) => parseAnswer(method, schema, await answerOf(method, query)),
    async *pages(method, schema, query) {
      let cursor: string | undefined;
      do {
        const answer = await answerOf(method, { limit: pageSize, ...query, cursor });
        yield parseAnswer(method, schema, answer);
        cursor = positionSchema.safeParse(answer).data?.response_metadata?.next_cursor || undefined;
      } while (cursor !== undefined);
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

function parseAnswer<T>(method: string, schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const what = `${method}: ${issue?.path.join(".")}: ${issue?.message}`;
  throw new AnnealError("SOURCE_UNREACHABLE", `Slack sent an answer that cannot be understood (${what}).`, {
    action: "Check that the API address is Slack's own, and sync again later.",
    details: { what },
  });
}

type Meaning = { code: ErrorCode; concerns: "source" | "item"; message: string; action: string; retryable?: boolean };

const enterToken =
  "Enter the Bot User OAuth Token (xoxb-…) from the app's page OAuth & Permissions; reinstall the app where it was removed.";
const inviteApp = "Invite the app to it in Slack: /invite and the app's name.";
const allowApp = "Ask a workspace administrator to allow the app, then reinstall it.";
const syncLater = "Sync again later; if it stays, look at status.slack.com.";

const refusedToken: Meaning = {
  code: "SOURCE_CREDENTIALS",
  concerns: "source",
  message: "Slack does not accept the bot token.",
  action: enterToken,
};
const forbiddenApp: Meaning = {
  code: "SOURCE_FORBIDDEN",
  concerns: "source",
  message: "The workspace does not let the app in.",
  action: allowApp,
};

/** The common errors of the Web API's methods; what is not here is about one item and may pass. */
const meanings: Record<string, Meaning> = {
  not_authed: refusedToken,
  invalid_auth: refusedToken,
  account_inactive: refusedToken,
  token_revoked: refusedToken,
  token_expired: refusedToken,
  not_allowed_token_type: refusedToken,
  no_permission: forbiddenApp,
  access_denied: forbiddenApp,
  ekm_access_denied: forbiddenApp,
  org_login_required: forbiddenApp,
  enterprise_is_restricted: forbiddenApp,
  team_access_not_granted: forbiddenApp,
  team_not_found: forbiddenApp,
  not_in_channel: {
    code: "SOURCE_FORBIDDEN",
    concerns: "item",
    message: "The app is not in the channel.",
    action: inviteApp,
  },
  channel_not_found: {
    code: "SOURCE_NOT_FOUND",
    concerns: "item",
    message: "Slack does not show the channel to the app.",
    action: inviteApp,
  },
  thread_not_found: {
    code: "SOURCE_NOT_FOUND",
    concerns: "item",
    message: "The thread is gone.",
    action: "Nothing needs doing: a later sync takes it out.",
  },
  user_not_found: {
    code: "SOURCE_NOT_FOUND",
    concerns: "item",
    message: "Slack does not know the person.",
    action: "Nothing needs doing.",
  },
  invalid_cursor: {
    code: "SOURCE_UNREACHABLE",
    concerns: "source",
    message: "Slack no longer accepts its own position in a list.",
    action: "Sync again: the list is read from its beginning.",
    retryable: true,
  },
};

function toSlackError(method: string, failure: z.infer<typeof failureSchema>): SlackError {
  const { error, needed } = failure;
  const details = { method };
  if (error === "missing_scope") {
    const scopes = needed?.replaceAll(",", ", ") ?? "that the method needs";
    return new SlackError(
      error,
      "source",
      new AnnealError("SOURCE_FORBIDDEN", `The Slack app lacks the scope ${scopes} (${method}).`, {
        action: "Add it on the app's page OAuth & Permissions under Bot Token Scopes, then reinstall the app.",
        details: { ...details, needed: needed ?? null },
      }),
    );
  }
  if (error === "ratelimited") {
    return new SlackError(
      error,
      "source",
      new AnnealError("RATE_LIMITED", "Slack asks to wait.", {
        action: "The sync goes on by itself after the wait.",
        details: { ...details, retryAfterMs: 60_000 },
        retryable: true,
      }),
    );
  }
  const meaning = meanings[error] ?? {
    code: "SOURCE_UNREACHABLE",
    concerns: "item",
    message: `Slack answered ${method} with the error ${JSON.stringify(error.slice(0, 80))}.`,
    action: syncLater,
    retryable: true,
  };
  return new SlackError(
    error,
    meaning.concerns,
    new AnnealError(meaning.code, meaning.message, {
      action: meaning.action,
      details,
      retryable: meaning.retryable ?? false,
    }),
  );
}
