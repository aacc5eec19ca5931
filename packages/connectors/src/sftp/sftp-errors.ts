import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { findAnnealError, unreachable } from "../failure.ts";
import type { SftpConfig } from "./config.ts";

export function serverName({ host, port }: Pick<SftpConfig, "host" | "port">): string {
  return port === 22 ? host : `${host}:${port}`;
}

/** SSH_FXP_STATUS, draft-ietf-secsh-filexfer-02, section 7; the library gives the number as `code`. */
const noSuchFile = 2;
const permissionDenied = 3;

/** @param place the path a person would recognise */
export function toSftpError(error: unknown, config: SftpConfig, place: string): AnnealError {
  if (isAnnealError(error)) return error;
  if (!(error instanceof Error)) throw error;
  const status = "code" in error && typeof error.code === "number" ? error.code : null;
  const at = `"${place}" on ${serverName(config)}`;
  switch (status) {
    case noSuchFile:
      return new AnnealError("SOURCE_NOT_FOUND", `${at} does not exist.`, {
        action: "Check the path as the server's SFTP shows it, which may begin at another place than its disk does.",
        details: { status },
      });
    case permissionDenied:
      return new AnnealError("SOURCE_FORBIDDEN", `${at} may not be read by "${config.user}".`, {
        action: "Give that user read permission on it (and execute permission on every folder above it).",
        details: { status },
      });
    case null:
      // The library's own words for a channel that is gone, and for an answer that is no SFTP.
      return connectionLost(config);
    default:
      return new AnnealError("SOURCE_UNREACHABLE", `${at} cannot be read: the server answered "${error.message}".`, {
        action: "Look into the server's log for what it ran into; then sync again.",
        details: { status },
        retryable: true,
      });
  }
}

export function connectionLost(config: SftpConfig): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `The connection to ${serverName(config)} broke off.`, {
    action: "Sync again; what was read is kept.",
    details: { code: "CONNECTION_LOST" },
    retryable: true,
  });
}

export function timedOut(config: SftpConfig): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${serverName(config)} took too long to answer.`, {
    action: "Check that the server is not overloaded; then sync again.",
    details: { code: "TIMEOUT" },
    retryable: true,
  });
}

/** What can go wrong before the first request. The library's message is kept to itself: it may quote a key. */
export function toConnectError(error: unknown, config: SftpConfig): AnnealError {
  const ours = findAnnealError(error);
  if (ours !== null) return ours;
  if (!(error instanceof Error)) throw error;
  const place = serverName(config);
  if (/authentication (methods failed|failures)/i.test(error.message)) {
    return new AnnealError("SOURCE_CREDENTIALS", `${place} did not accept the sign-in of "${config.user}".`, {
      action:
        "Enter that user's password, or the private key whose public half is in its authorized_keys, and allow that way of signing in (PasswordAuthentication or PubkeyAuthentication in sshd_config).",
    });
  }
  if (/private ?key|passphrase|Encrypted/i.test(error.message)) {
    return new AnnealError("SOURCE_CREDENTIALS", "The private key cannot be used.", {
      action: "Enter the whole file, its BEGIN and END lines included, in OpenSSH or PEM form, and its passphrase.",
    });
  }
  const known = unreachable(error, place);
  if (known !== null) return known;
  if (/Timed out/i.test(error.message)) return timedOut(config);
  return new AnnealError("SOURCE_UNREACHABLE", `${place} does not complete an SSH connection with SFTP.`, {
    action:
      'Check that the port is the SSH server\'s, and that sshd_config has a "Subsystem sftp" which this user may use.',
    details: { code: "NO_SFTP" },
    retryable: true,
  });
}

export function hostKeyUnknown(config: SftpConfig, shown: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `${serverName(config)} presents the host key ${shown}, which is not known.`, {
    action:
      "Compare it with what `ssh-keygen -lf` prints for the server's own key (on the server, or from its administrator); if it is the same, enter it as host key fingerprint. No password or key was sent.",
    details: { code: "HOST_KEY_UNKNOWN", hostKey: shown },
  });
}

export function hostKeyChanged(config: SftpConfig, shown: string): AnnealError {
  return new AnnealError(
    "SOURCE_FORBIDDEN",
    `${serverName(config)} presents the host key ${shown}, which is none of those entered.`,
    {
      action:
        "Somebody may be answering in the server's place: no password or key was sent. If the server was set up anew, compare the key with its administrator's and enter it.",
      details: { code: "HOST_KEY_CHANGED", hostKey: shown },
    },
  );
}
