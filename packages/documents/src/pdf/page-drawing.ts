import { AnnealError } from "@anneal/core/errors";
import { documentError } from "../document-errors.ts";
import type { ParseLimits } from "../limits.ts";
import type { ParseReply } from "../parser-messages.ts";
import { ParserProcess } from "../parser-process.ts";

type Drawn = Extract<ParseReply, { status: "rendered" }>;

/** Pages that may end the process that draws them before the rest of the document is given up. */
const mostDeaths = 3;

/**
 * Draws pages of one PDF in a process of its own, which may load native code, since the library that draws is native; a
 * page that ends it costs that page.
 */
export class PageDrawing {
  private readonly path: string;
  private readonly bounds: { timeoutMs: number; maxMemoryBytes: number };
  private readonly limits: ParseLimits;
  private readonly signal: AbortSignal;
  private process: ParserProcess | null = null;
  private deaths = 0;

  constructor(
    path: string,
    bounds: { timeoutMs: number; maxMemoryBytes: number },
    limits: ParseLimits,
    signal: AbortSignal,
  ) {
    this.path = path;
    this.bounds = bounds;
    this.limits = limits;
    this.signal = signal;
  }

  /**
   * @param leastPicture share of the page that pictures must fill for it to be drawn
   * @throws AnnealError with a DOCUMENT_ code, CANCELLED
   */
  async draw(page: number, leastPicture: number): Promise<Drawn> {
    if (this.signal.aborted) throw cancelled();
    if (this.deaths >= mostDeaths) {
      throw documentError(
        "DOCUMENT_HOSTILE",
        `Drawing it was given up after ${mostDeaths} pages that could not be drawn.`,
      );
    }
    const reply = await this.ask(page, leastPicture);
    if (reply.status === "rendered") return reply;
    if (reply.status === "parsed") throw documentError("DOCUMENT_DAMAGED", "The page was not drawn.");
    const { code, message, action, details } = reply.error;
    throw new AnnealError(code, message, { action, details });
  }

  async close(): Promise<void> {
    await this.process?.end(cancelled());
  }

  private ask(page: number, leastPicture: number): Promise<ParseReply> {
    const path = this.process === null ? this.path : null;
    const process = (this.process ??= this.start());
    return new Promise((resolve, reject) => {
      process.run({
        request: { task: "render", page, leastPicture, limits: this.limits },
        path,
        signal: this.signal,
        cancelled: cancelled(),
        settle: (result) => ("reply" in result ? resolve(result.reply) : reject(result.error as Error)),
      });
    });
  }

  private start(): ParserProcess {
    const process = new ParserProcess(
      { ...this.bounds, recycleAfter: Number.POSITIVE_INFINITY, nativeCode: true },
      {
        ended: () => {
          this.deaths += 1;
          if (this.process === process) this.process = null;
        },
      },
    );
    return process;
  }
}

function cancelled(): AnnealError {
  return new AnnealError("CANCELLED", "Recognising the document's text was cancelled.", {
    action: "Start it again when it is wanted.",
  });
}
