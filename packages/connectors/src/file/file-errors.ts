import { AnnealError } from "@anneal/core/errors";
import { systemCode } from "../failure.ts";

/** @param place the path a person would recognise */
export function toFileError(error: unknown, place: string): AnnealError {
  if (error instanceof AnnealError) return error;
  const code = systemCode(error);
  switch (code) {
    case "ENOENT":
    case "ENOTDIR":
      return new AnnealError("SOURCE_NOT_FOUND", `"${place}" does not exist.`, {
        action: "Check the path, and that a mounted drive is mounted on the machine that runs the worker.",
        details: { code },
      });
    case "EACCES":
    case "EPERM":
      return new AnnealError("SOURCE_FORBIDDEN", `"${place}" may not be read by the worker's user.`, {
        action: "Give that user read permission on it (and execute permission on every folder above it).",
        details: { code },
      });
    case "ENAMETOOLONG":
      return new AnnealError("INVALID_INPUT", `"${place}" is longer than this system allows a path to be.`, {
        action: "Shorten the names of its folders, or add a folder deeper down as a source of its own.",
        details: { code },
      });
    case "EIO":
    case "ESTALE":
    case "EHOSTDOWN":
    case "ETIMEDOUT":
    case "ENOTCONN":
      return new AnnealError("SOURCE_UNREACHABLE", `"${place}" cannot be read from its drive (${code}).`, {
        action: "Check the disk or the network share behind it; then sync again.",
        details: { code },
        retryable: true,
      });
    default:
      throw error;
  }
}

export function changedWhileRead(place: string): AnnealError {
  return new AnnealError("CONFLICT", `"${place}" changed while it was read.`, {
    action: "Sync again once it is no longer written to.",
    retryable: true,
  });
}
