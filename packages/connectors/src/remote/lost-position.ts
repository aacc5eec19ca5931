import { AnnealError, isAnnealError } from "@anneal/core/errors";
import { RemoteError } from "./remote-client.ts";

/**
 * For a request that shows a service a position which that service gave before. Its refusal says nothing of what is asked:
 * whoever tries again begins the list anew.
 *
 * @param position undefined: the request shows none, and its refusal stays what it is
 * @returns for `catch`: throws an AnnealError that is retryable in the place of a 400 or a 410
 */
export function orLostPosition(service: string, position: string | undefined): (error: unknown) => never {
  return (error) => {
    if (position === undefined || !isAnnealError(error)) throw error;
    const status = statusOf(error);
    if (status !== 400 && status !== 410) throw error;
    throw new AnnealError("SOURCE_UNREACHABLE", `${service} no longer accepts its own position in a list.`, {
      action: "Sync again: the list is read from its beginning.",
      details: error.details,
      retryable: true,
    });
  };
}

/** An SDK's error is told by the status where nothing else is known of it. */
function statusOf(error: AnnealError): unknown {
  if (error instanceof RemoteError) return error.status;
  return error.code === "SOURCE_UNREACHABLE" ? error.details["status"] : undefined;
}
