import { AnnealError, type ErrorCode } from "@anneal/core/errors";
import { z } from "zod";
import { RemoteError } from "../remote/remote-client.ts";

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

export function isAboutOneItem(error: unknown): error is SlackError | RemoteError {
  if (error instanceof RemoteError) return error.isAlone;
  return error instanceof SlackError && error.concerns === "item";
}

export function isThreadGone(error: unknown): boolean {
  return error instanceof SlackError && error.slackCode === "thread_not_found";
}

const failureSchema = z.looseObject({
  ok: z.literal(false),
  error: z.string().catch("unknown_error"),
  needed: z.string().nullish().catch(null),
});

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

/** @returns null for an answer that says neither yes nor no */
export function toSlackError(method: string, answer: unknown): SlackError | null {
  const failure = failureSchema.safeParse(answer);
  if (!failure.success) return null;
  const { error, needed } = failure.data;
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
