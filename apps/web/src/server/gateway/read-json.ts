import { AnnealError } from "@anneal/core/errors";

/** Far more than a conversation that fits any model's context, pictures included. */
const maxBodyBytes = 32 * 1024 ** 2;

/**
 * The body as JSON; one that is too large is refused before it is held in memory.
 * @throws AnnealError REQUEST_TOO_LARGE, INVALID_INPUT
 */
export async function readJson(request: Request): Promise<unknown> {
  const parts: Uint8Array[] = [];
  let sizeBytes = Number(request.headers.get("content-length") ?? 0);
  if (sizeBytes > maxBodyBytes) throw tooLarge();
  sizeBytes = 0;
  for await (const part of request.body ?? []) {
    sizeBytes += part.byteLength;
    if (sizeBytes > maxBodyBytes) throw tooLarge();
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch (cause) {
    throw new AnnealError("INVALID_INPUT", "The body is not JSON.", { action: "Send a JSON object.", cause });
  }
}

function tooLarge(): AnnealError {
  return new AnnealError("REQUEST_TOO_LARGE", `The body is larger than ${maxBodyBytes / 1024 ** 2} MiB.`, {
    action: "Send less at once: fewer messages, or smaller inputs in several requests.",
  });
}
