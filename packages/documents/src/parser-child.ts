import { readFile } from "node:fs/promises";
import { isAnnealError } from "@anneal/core/errors";
import { documentError } from "./document-errors.ts";
import { parseDocument } from "./parse-document.ts";
import type { ParseReply, ParseRequest } from "./parser-messages.ts";

/**
 * The process in which documents are parsed, started by ParserPool with an empty environment and without the right to
 * write files or start programs. It ends with its parent.
 */
const send = process.send?.bind(process);
if (send === undefined) throw new Error("parser-child.ts is started by ParserPool, not by hand.");

// No format needs the network; whatever a library might try ends here.
Object.assign(globalThis, { fetch: undefined, WebSocket: undefined, EventSource: undefined });

process.on("disconnect", () => process.exit());
process.on("message", (request: ParseRequest) => {
  void handle(request).then((reply) => send(reply));
});

async function handle(request: ParseRequest): Promise<ParseReply> {
  try {
    const bytes = await readFile(request.path);
    const { fileName, mediaType, limits } = request;
    return {
      status: "parsed",
      document: await parseDocument({
        bytes,
        fileName,
        limits,
        ...(mediaType === undefined ? {} : { mediaType }),
      }),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 160) : "unknown";
    const known = isAnnealError(error)
      ? error
      : documentError("DOCUMENT_DAMAGED", `The file cannot be read (${reason}).`);
    const { code, message, action, details } = known;
    return { status: "failed", error: { code, message, action, details } };
  }
}
