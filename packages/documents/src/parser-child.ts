import { AnnealError, assertNever, isAnnealError } from "@anneal/core/errors";
import type { ParsedDocument } from "@anneal/core/document/element";
import { openChildInput } from "@anneal/processes/child-input";
import { documentError } from "./document-errors.ts";
import { type RecognizePart, type ScannedPart, parseWithScans } from "./parse-document.ts";
import type { ParseLimits } from "./limits.ts";
import type { ParseReply, ParseRequest, PartAnswer, ScannedPartMessage } from "./parser-messages.ts";
import { beyondScannedPages } from "./pdf/scans.ts";
import type { openForRendering } from "./pdf/render-page.ts";

/**
 * The process in which documents are parsed, started by ParserProcess with an empty environment. It may read no file but
 * its own code, write none and start no program. It ends with its parent: when its channel closes, and at once, however busy it is, where Linux sees to
 * it (`endWithParent`).
 */
const send = process.send?.bind(process);
if (send === undefined) throw new Error("parser-child.ts is started by ParserPool, not by hand.");

// No format needs the network; what a library might try ends here, also where the system cannot shut it off.
Object.assign(globalThis, { fetch: undefined, WebSocket: undefined, EventSource: undefined });

/** The document whose pages are drawn, which one such process has only one of. */
let drawn: ReturnType<typeof openForRendering> | null = null;

process.on("disconnect", () => process.exit());
/** Takes the pool's answer to the one part that is being recognised. */
let takeAnswer: ((answer: PartAnswer) => void) | null = null;

process.on("message", (message: ParseRequest | PartAnswer) => {
  if (message.task === "part") takeAnswer?.(message);
  else void handle(message).then((reply) => send(reply));
});

/**
 * A child may start no program: the pool recognises the text, while we wait. Each part has a scanned page at least, so
 * that no more of them are sent than one document may have pages.
 */
function createPartRecognizer(limits: ParseLimits): RecognizePart {
  let partsLeft = limits.maxScannedPages;
  return async (part) => {
    if (partsLeft === 0) return beyondScannedPages(part.pdf, limits);
    partsLeft -= 1;
    return recognizePart(part);
  };
}

async function recognizePart({ bytes, pdf, maxTextLength }: ScannedPart): Promise<ParsedDocument> {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  const answer = await new Promise<PartAnswer>((resolve) => {
    takeAnswer = resolve;
    send!({ status: "scanned-part", bytes: base64, pdf, maxTextLength } satisfies ScannedPartMessage);
  });
  if (answer.status === "read") return answer.document;
  const { code, message, action, details } = answer.error;
  throw new AnnealError(code, message, { action, details });
}

async function handle(request: ParseRequest): Promise<ParseReply> {
  try {
    return await carryOut(request);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 160) : "unknown";
    const known = isAnnealError(error)
      ? error
      : documentError("DOCUMENT_DAMAGED", `The file cannot be read (${reason}).`);
    const { code, message, action, details } = known;
    return { status: "failed", error: { code, message, action, details } };
  }
}

const readInput = openChildInput();

async function carryOut(request: ParseRequest): Promise<ParseReply> {
  const bytes = await readInput(request.fileSizeBytes);
  switch (request.task) {
    case "parse": {
      const { fileName, mediaType, limits } = request;
      const declared = mediaType === undefined ? {} : { mediaType };
      return {
        status: "parsed",
        ...(await parseWithScans({ bytes, fileName, limits, ...declared }, createPartRecognizer(limits))),
      };
    }
    case "render": {
      const { openForRendering, renderPage } = await import("./pdf/render-page.ts");
      drawn ??= openForRendering(new Uint8Array(bytes));
      const { png, ...page } = await renderPage(await drawn, request.page, request.leastPicture, request.limits);
      return { status: "rendered", png: png?.toString("base64") ?? null, ...page };
    }
    case "read-partition": {
      const { readPartition } = await import("./unstructured/read-partition.ts");
      return {
        status: "parsed",
        document: readPartition(request.answer, request.mediaType, request.limits),
        scans: null,
      };
    }
    default:
      return assertNever(request);
  }
}
