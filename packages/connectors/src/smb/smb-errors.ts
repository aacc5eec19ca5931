import { AnnealError } from "@anneal/core/errors";
import type { SmbTarget } from "./smb-session.ts";

export function serverName({ host, port }: Pick<SmbTarget, "host" | "port">): string {
  return port === 445 ? host : `${host}:${port}`;
}

export function shareName(target: Pick<SmbTarget, "host" | "port" | "share">): string {
  return `\\\\${serverName(target)}\\${target.share}`;
}

/** After these nothing more can be asked for in the session. */
const endings = new Set(["UNREACHABLE", "BROKEN", "STATUS_NETWORK_NAME_DELETED", "STATUS_USER_SESSION_DELETED"]);

export function endsSession(name: string): boolean {
  return endings.has(name);
}

/**
 * @param name what the program that speaks SMB calls it: an NTSTATUS or a word of its own
 * @param place the path a person would recognise, or null for the share as a whole
 */
export function toSmbError(name: string, target: SmbTarget, place: string | null): AnnealError {
  const share = shareName(target);
  const at = place === null ? share : `"${place}" in ${share}`;
  const details = { status: name };
  switch (name) {
    case "SIGN_IN":
      return new AnnealError(
        "SOURCE_CREDENTIALS",
        `${serverName(target)} did not accept the sign-in of "${target.user}".`,
        {
          action:
            "Enter the user as DOMAIN\\name or name@domain, and its password; see that the account is not locked or expired and may sign in over the network.",
          details,
        },
      );
    case "GUEST":
      return new AnnealError("SOURCE_CREDENTIALS", `${serverName(target)} lets "${target.user}" in only as a guest.`, {
        action: "Enter an account that the server knows; what a guest is sent can be neither signed nor encrypted.",
        details,
      });
    case "NO_ENCRYPTION":
      return new AnnealError("SOURCE_FORBIDDEN", `${serverName(target)} does not encrypt.`, {
        action: "Turn on SMB 3 encryption at the server, or turn “Require encryption” off for this source.",
        details,
      });
    case "STATUS_BAD_NETWORK_NAME":
      return new AnnealError("SOURCE_NOT_FOUND", `${share} does not exist.`, {
        action: "Check the name of the share.",
        details,
      });
    case "STATUS_OBJECT_NAME_NOT_FOUND":
    case "STATUS_OBJECT_PATH_NOT_FOUND":
    case "STATUS_NO_SUCH_FILE":
    case "STATUS_NOT_FOUND":
    case "STATUS_DELETE_PENDING":
    case "STATUS_FILE_IS_A_DIRECTORY":
      return new AnnealError("SOURCE_NOT_FOUND", `${at} does not exist.`, {
        action: place === null ? "Check the path." : "Check the path; if it was just moved, sync again.",
        details,
      });
    case "STATUS_NOT_A_DIRECTORY":
      return new AnnealError("INVALID_INPUT", `${at} is not a folder.`, {
        action: "Name the folder that holds it.",
        details,
      });
    case "STATUS_OBJECT_NAME_INVALID":
    case "STATUS_OBJECT_PATH_SYNTAX_BAD":
      return new AnnealError("INVALID_INPUT", `${at} has a name that the server does not take.`, {
        action: "Rename it.",
        details,
      });
    case "STATUS_ACCESS_DENIED":
    case "STATUS_PRIVILEGE_NOT_HELD":
      return new AnnealError("SOURCE_FORBIDDEN", `${at} may not be read by "${target.user}".`, {
        action:
          "Grant that user Read on it (“Read & execute”, which includes Read permissions), in the share's permissions and in the file's.",
        details,
      });
    case "STATUS_SHARING_VIOLATION":
      return new AnnealError("CONFLICT", `${at} is held open by another program.`, {
        action: "Sync again once it is closed.",
        details,
        retryable: true,
      });
    case "STATUS_STOPPED_ON_SYMLINK":
    case "STATUS_PATH_NOT_COVERED":
      return new AnnealError("SOURCE_FORBIDDEN", `${at} leads to another place.`, {
        action: "Links are not followed: add the place that it leads to as a source of its own.",
        details,
      });
    case "UNREACHABLE":
    case "STATUS_NETWORK_NAME_DELETED":
    case "STATUS_USER_SESSION_DELETED":
      return new AnnealError("SOURCE_UNREACHABLE", `${serverName(target)} cannot be reached, or stopped answering.`, {
        action: "Check the address and the port, and that this machine may connect to it; then sync again.",
        details,
        retryable: true,
      });
    default:
      return new AnnealError("SOURCE_UNREACHABLE", `${at} cannot be read (${name}).`, {
        action: "Look into the server's log for what it ran into; then sync again.",
        details,
        retryable: true,
      });
  }
}
