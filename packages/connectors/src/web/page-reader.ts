import { fileURLToPath } from "node:url";
import { describeBytes } from "@anneal/core/describe-bytes";
import { AnnealError, assertNever } from "@anneal/core/errors";
import { ConfinedProcess, type Ending } from "@anneal/processes/confined-process";
import { listPackageFolders } from "@anneal/processes/package-folders";
import pLimit from "p-limit";
import { type PageBounds, defaultPageBounds } from "../connector.ts";
import type { PageFacts } from "./page-facts.ts";
import { pageReplySchema, type PageReply, type PageRequest } from "./page-messages.ts";
import type { ParsedSitemap } from "./parse-sitemap.ts";

/**
 * Reads what a site has written, in a process of its own: what a page does to its reader costs that page only. Each takes
 * UTF-8.
 *
 * @throws AnnealError with a DOCUMENT_ code; the signal's reason where the crawl has ended
 */
export type PageReader = {
  readPage(html: Uint8Array, url: string): Promise<PageFacts>;
  /** The addresses that it names; null where it is none. */
  readFeed(text: Uint8Array, url: string): Promise<string[] | null>;
  /** null where it is none. */
  readSitemap(text: Uint8Array, url: string): Promise<ParsedSitemap | null>;
  /** Resolves when the process is gone. */
  close(): Promise<void>;
};

const program = fileURLToPath(new URL("./page-reader-child.ts", import.meta.url));
/** Pages are small and many: what is left over of one is soon collected. */
const semiSpaceMiB = 2;
let folders: readonly string[] | undefined;

/**
 * The process starts at first need, and anew where a page has ended it. It reads one page at a time, so that each has its
 * time, and it is known which it was that took too much.
 *
 * @param signal of the crawl: the page in hand is given up with it
 */
export function createPageReader(signal: AbortSignal, bounds: PageBounds = defaultPageBounds): PageReader {
  const oneAtATime = pLimit(1);
  const closing = new AbortController();
  const ended = AbortSignal.any([signal, closing.signal]);
  let child: PageProcess | null = null;
  ended.addEventListener("abort", () => void child?.end(), { once: true });

  const ask = <R extends PageRequest["read"]>(read: R, bytes: Uint8Array, url: string): Promise<ReplyTo<R>> =>
    oneAtATime(async () => {
      ended.throwIfAborted();
      if (child === null || child.isEnding) child = new PageProcess(bounds);
      const answer = await child.ask({ read, sizeBytes: bytes.byteLength }, bytes);
      ended.throwIfAborted();
      if ("ending" in answer) throw endedBy(url, answer.ending, bounds);
      const reply = pageReplySchema.safeParse(answer.message).data;
      if (reply?.read === "nothing") throw new AnnealError(reply.error.code, reply.error.message, reply.error);
      if (reply?.read === read) return reply as ReplyTo<R>;
      await child.end();
      throw new AnnealError("DOCUMENT_HOSTILE", `"${url}" may have taken over the process that reads pages.`, {
        action: "Exclude the page, or tell the site's owner.",
      });
    });

  return {
    readPage: async (html, url) => (await ask("page", html, url)).facts,
    readFeed: async (text, url) => (await ask("feed", text, url)).urls,
    readSitemap: async (text, url) => (await ask("sitemap", text, url)).sitemap,
    async close() {
      closing.abort();
      await child?.end();
    },
  };
}

type ReplyTo<R extends PageRequest["read"]> = Extract<PageReply, { read: R }>;
type Answer = { message: unknown } | { ending: Ending };

class PageProcess {
  private readonly process: ConfinedProcess;
  private settle: (answer: Answer) => void = () => {};

  constructor(bounds: PageBounds) {
    // Of all that connectors depend on, what reading a page takes.
    const needed = ["@anneal/core", "@anneal/processes", "parse5", "saxes", "zod"];
    const reads = (folders ??= listPackageFolders(new URL("../../", import.meta.url), needed));
    this.process = new ConfinedProcess(
      { program, reads, semiSpaceMiB, ...bounds },
      { message: (message) => this.settle({ message }), ended: (ending) => this.settle({ ending }) },
    );
  }

  get isEnding(): boolean {
    return this.process.isEnding;
  }

  async ask(request: PageRequest, bytes: Uint8Array): Promise<Answer> {
    this.process.begin();
    const answer = new Promise<Answer>((resolve) => (this.settle = resolve));
    this.process.send(request);
    // One that answers before it has taken a page would take the rest for the next one.
    await this.process.write(bytes);
    return answer.finally(() => this.process.rest());
  }

  end(): Promise<void> {
    return this.process.end();
  }
}

function endedBy(url: string, { why, how }: Ending, { timeoutMs, maxMemoryBytes }: PageBounds): AnnealError {
  switch (why) {
    case "time":
      return new AnnealError(
        "DOCUMENT_TIMEOUT",
        `Reading "${url}" took longer than ${timeoutMs / 1000} s and was ended.`,
        {
          action: "Exclude it, or raise ANNEAL_PARSE_TIMEOUT_SECONDS where the worker runs.",
          details: { timeoutMs },
        },
      );
    case "memory":
      return new AnnealError(
        "DOCUMENT_TOO_LARGE",
        `Reading "${url}" needed more than ${describeBytes(maxMemoryBytes)} of memory and was ended.`,
        { action: "Exclude it, or tell the site's owner.", details: { maxMemoryBytes } },
      );
    case "exit":
      return new AnnealError("DOCUMENT_DAMAGED", `"${url}" made the process that reads pages crash (${how}).`, {
        action: "Exclude it, or tell the site's owner.",
      });
    default:
      return assertNever(why);
  }
}
