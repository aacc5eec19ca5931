import { Readable } from "node:stream";
import { HttpAnswer } from "../src/http-answer.ts";

/** What a server has said, without one. */
export function answerOf(
  body: string | Uint8Array = "",
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): HttpAnswer {
  return new HttpAnswer({ url: "https://site.example/", status, headers, body: Readable.from([Buffer.from(body)]) });
}
