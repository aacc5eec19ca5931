import { AnnealError } from "@anneal/core/errors";
import type { HttpAnswer } from "../http-answer.ts";
import type { z } from "zod";
import { tooLarge, type LimitKind } from "../failure.ts";
import { toFetchError } from "../guarded-fetch.ts";
import { RateLimited } from "./rate-limited.ts";

const maxErrorChars = 4000;
const maxErrorBytes = 16 * 1024;

/**
 * A body as it comes, at most `limitBytes`: a declared size is a claim, and one that is shorter than declared broke off.
 *
 * @param what names the body at the start of a sentence; never its address, which may hold a key
 */
export async function* readAnswer(
  response: HttpAnswer,
  what: string,
  limitBytes: number,
  signal: AbortSignal,
  kind?: LimitKind,
): AsyncIterable<Uint8Array> {
  const declared = response.headers.get("content-length");
  if (Number(declared ?? 0) > limitBytes) {
    response.discard();
    throw tooLarge(what, Number(declared), limitBytes, kind);
  }
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body()) {
      const bytes = chunk as Uint8Array;
      sizeBytes += bytes.byteLength;
      if (sizeBytes > limitBytes) throw tooLarge(what, null, limitBytes, kind);
      yield bytes;
    }
  } catch (error) {
    signal.throwIfAborted();
    const known = toFetchError(error, new URL(response.url));
    throw known.code === "SOURCE_UNREACHABLE" ? brokeOff(what) : known;
  }
  // What was sent compressed is longer than declared.
  if (declared !== null && response.headers.get("content-encoding") === null && sizeBytes < Number(declared)) {
    throw brokeOff(what);
  }
}

export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** The beginning of an error's body: whoever sends gigabytes with a 500 must not fill the memory. */
export async function readErrorText(response: HttpAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let sizeBytes = 0;
  try {
    for await (const chunk of response.body()) {
      const bytes = chunk as Uint8Array;
      text += decoder.decode(bytes, { stream: true });
      sizeBytes += bytes.byteLength;
      if (sizeBytes >= maxErrorBytes) break;
    }
  } catch {
    // What arrived is what there is to say.
  }
  return text.slice(0, maxErrorChars);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param of what was asked, where that says more
 * @throws AnnealError that names the first part of the answer which `schema` refuses, and nothing that stands in it
 */
export function parseAnswer<T>(service: string, schema: z.ZodType<T>, answer: unknown, of?: string): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = [of, issue?.path.join(".") || "the answer"].filter((part) => part !== undefined);
  throw unexpectedAnswer(service, `${place.join(": ")}: ${issue?.message}`);
}

function brokeOff(what: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `The transfer of "${what}" broke off.`, {
    action: "It is read again by the next sync.",
    retryable: true,
  });
}

/** An answer came, and is none of those that the service is known for. */
export class UnexpectedAnswer extends AnnealError {
  readonly service: string;

  constructor(service: string, what: string) {
    super("SOURCE_UNREACHABLE", `${service} sent an answer that cannot be understood (${what}).`, {
      action: "Check that the address is the API's own, and sync again later.",
      details: { what },
    });
    this.service = service;
  }
}

export function unexpectedAnswer(service: string, what: string): UnexpectedAnswer {
  return new UnexpectedAnswer(service, what);
}

/** @param waitMs what the answer asks to wait, or null */
export function describeStatus(service: string, status: number, host: string, waitMs: number | null): AnnealError {
  const details = { host };
  if (isAboutLoad(status, waitMs)) {
    return new RateLimited({ place: service, toldMs: waitMs, details, vague: isVague(status) });
  }
  switch (status) {
    case 401:
      return new AnnealError("SOURCE_CREDENTIALS", `${service} does not accept the credentials.`, {
        action: "Enter them again; they may have expired or been revoked.",
        details,
      });
    case 403:
      return new AnnealError("SOURCE_FORBIDDEN", `${service} accepts the credentials, which lack a permission.`, {
        action: "Grant what the check of this source names as missing.",
        details,
      });
    case 404:
      return new AnnealError("SOURCE_NOT_FOUND", `${service} does not have what was asked for.`, {
        action: "Check the ids in the source's settings; it may have been moved or deleted.",
        details,
      });
    default:
      return new AnnealError("SOURCE_UNREACHABLE", `${service} answered with status ${status}.`, {
        action: "Sync again later; if it stays, look at the service's status page.",
        details,
        retryable: status >= 500,
      });
  }
}

/** Answers that say "not now". A 403 that names a time is how some vendors limit (GitHub's secondary limits). */
export function isAboutLoad(status: number, waitMs: number | null): boolean {
  return [429, 502, 503, 504].includes(status) || (status === 403 && waitMs !== null);
}

/**
 * Without a time such an answer need not be about load: a gateway answers so whose service fails at one document, and some
 * storage where one object cannot be read.
 */
export function isVague(status: number): boolean {
  return [502, 503, 504].includes(status);
}
