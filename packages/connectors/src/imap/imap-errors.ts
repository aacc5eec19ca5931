import { AnnealError } from "@anneal/core/errors";
import type { ImapFlowError } from "imapflow";
import { z } from "zod";
import { findAnnealError, systemCode, unreachable } from "../failure.ts";
import { RateLimited } from "../remote/rate-limited.ts";
import type { ImapConfig } from "./config.ts";
import { refusedSignIn, unofferedSignIn } from "./refused-sign-in.ts";

/**
 * The library's own error is left behind: it carries the command as it was sent, and of a sign-in that is the password.
 * @param mailbox what was read, or null for the server as a whole
 * @param token the access token of a sign-in
 */
export function toImapError(
  error: unknown,
  config: ImapConfig,
  mailbox: string | null,
  token: string | null = null,
): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const server = `${config.host}:${config.port}`;
  const { code, responseStatus, authenticationFailed, tlsFailed, mailboxMissing, throttleReset } =
    error as ImapFlowError;
  const serverResponseCode = responseCodeOf(error);
  // The one error of a sign-in to which the library gives no code.
  if (error.message === "Unsupported authentication mechanism") return unofferedSignIn(config);
  if (authenticationFailed) return refusedSignIn(config, error, token);
  if (mailbox !== null && (responseStatus === "NO" || mailboxMissing)) {
    return aboutMailbox(mailbox, mailboxMissing ? "NONEXISTENT" : (serverResponseCode ?? "NO"));
  }
  if (mailbox !== null && lostConnection.has(code ?? "")) return aboutMailbox(mailbox, "CLOSED");
  const known = unreachable(error, server);
  if (known !== null) return known;
  if (tlsFailed || /^(ERR_SSL|ERR_TLS|EPROTO)/.test(systemCode(error) ?? "")) {
    return new AnnealError("SOURCE_UNREACHABLE", `${server} does not speak TLS as it is set.`, {
      action: "Use tls with port 993, or starttls with port 143.",
      details: { code: systemCode(error) ?? "TLS" },
      retryable: true,
    });
  }
  if (code === "ETHROTTLE" || serverResponseCode === "LIMIT") {
    const details = { code: code ?? serverResponseCode };
    return new RateLimited({ place: server, toldMs: throttleReset ?? null, details });
  }
  if (code === undefined && responseStatus === undefined) throw error;
  return new AnnealError("SOURCE_UNREACHABLE", `${server} broke off or does not speak IMAP (${code ?? "refused"}).`, {
    action: "Check the address and the port; then sync again.",
    details: { code: code ?? serverResponseCode ?? responseStatus },
    retryable: true,
  });
}

export function throttledFor({ host, port }: ImapConfig, toldMs: number): RateLimited {
  return new RateLimited({ place: `${host}:${port}`, toldMs, details: { code: "ETHROTTLE" } });
}

/** Ended in the middle of a command; the next one, on a connection made anew, tells whether the server is gone. */
const lostConnection = new Set(["NoConnection", "EConnectionClosed", "StateLogout", "ETIMEOUT", "ECONNRESET", "EPIPE"]);

const codedSchema = z.object({
  attributes: z.tuple([z.object({ section: z.tuple([z.object({ value: z.string() })], z.unknown()) })], z.unknown()),
});

/** The word in brackets (RFC 5530): of some commands the library takes it out, of others it leaves it in the answer. */
function responseCodeOf({ serverResponseCode, response }: ImapFlowError): string | undefined {
  return serverResponseCode ?? codedSchema.safeParse(response).data?.attributes[0].section[0].value.toUpperCase();
}

/**
 * Whether a server has ended what was begun with an access token, because the token has ended: Exchange and Gmail take
 * their leave with a word, others answer a command as they would a sign-in.
 * @param isEnding by the clock
 */
export function isTokenEnded(error: unknown, isEnding: boolean): boolean {
  if (!(error instanceof Error)) return false;
  const { code, reason } = error as ImapFlowError;
  const responseCode = responseCodeOf(error);
  if (responseCode === "AUTHENTICATIONFAILED" || responseCode === "EXPIRED") return true;
  return lostConnection.has(code ?? "") && (isEnding || /expired|invalidated/i.test(reason ?? ""));
}

/** Also when the server broke off in the middle of it, as some do on a message that they cannot read. */
export function isAboutOneMailbox(error: unknown): error is AnnealError {
  return error instanceof AnnealError && error.details["mailbox"] !== undefined;
}

function aboutMailbox(mailbox: string, responseCode: string): AnnealError {
  const details = { mailbox, code: responseCode };
  switch (responseCode) {
    case "NONEXISTENT":
    case "TRYCREATE":
      return missingMailbox(mailbox);
    case "NOPERM":
    case "ACL":
      return new AnnealError("SOURCE_FORBIDDEN", `Mailbox "${mailbox}" may not be read by this user.`, {
        action: "Grant the user the rights l and r (lookup and read) on it, or exclude it.",
        details,
      });
    default:
      return new AnnealError(
        "SOURCE_UNREACHABLE",
        `The server failed to read mailbox "${mailbox}" (${responseCode}).`,
        {
          action: "Sync again later; if it stays, look at the mail server's log, or exclude the mailbox.",
          details,
          retryable: true,
        },
      );
  }
}

export function missingMailbox(mailbox: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `There is no mailbox "${mailbox}".`, {
    action: "Correct its name in the source's mailboxes, or take it out.",
    details: { mailbox },
  });
}

/** An answer on which nothing may be deleted. */
export function incompleteAnswer({ host }: ImapConfig, mailbox: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${host} did not list all messages of mailbox "${mailbox}".`, {
    action: "Sync again later; if it stays, exclude the mailbox.",
    details: { mailbox },
    retryable: true,
  });
}
