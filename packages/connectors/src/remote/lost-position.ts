import { AnnealError } from "@anneal/core/errors";
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
    const isRefusal = error instanceof RemoteError && (error.status === 400 || error.status === 410);
    if (position === undefined || !isRefusal) throw error;
    throw new AnnealError("SOURCE_UNREACHABLE", `${service} no longer accepts its own position in a list.`, {
      action: "Sync again: the list is read from its beginning.",
      details: error.details,
      retryable: true,
    });
  };
}
