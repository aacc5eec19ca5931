import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { endWithParent } from "@anneal/processes/end-with-parent";
import { z } from "zod";

/** The main content of a web page as Markdown; null when there is none to be found. */
export type MainContentExtractor = {
  extract(
    page: { html: string; url: string },
    signal: AbortSignal,
  ): Promise<{ title: string | null; markdown: string } | null>;
  close(): void;
};

/** Raised whenever the same page could now give another text, or another kind of source goes through this. */
export const mainContentVersion = "2";

const replySchema = z.union([
  z.object({ id: z.string(), ok: z.literal(true), title: z.string().nullable(), text_markdown: z.string() }),
  z.object({ id: z.string(), ok: z.literal(false), error: z.unknown() }),
]);

const replyTimeoutMs = 30_000;

/** trafilatura in a process of its own (`python -m sidecars.main_content`), started when first needed. */
export function createMainContentExtractor(options: {
  python: string;
  pythonPath: string | undefined;
}): MainContentExtractor {
  let child: ChildProcessWithoutNullStreams | null = null;
  let counter = 0;
  const waiting = new Map<string, (reply: z.infer<typeof replySchema> | null) => void>();

  function start(): ChildProcessWithoutNullStreams {
    const started = spawn(...endWithParent(options.python, ["-m", "sidecars.main_content"]), {
      env: { PATH: process.env["PATH"], ...(options.pythonPath ? { PYTHONPATH: options.pythonPath } : {}) },
    });
    started.stderr.resume();
    createInterface({ input: started.stdout }).on("line", (line) => {
      const reply = replySchema.safeParse(JSON.parse(line));
      if (reply.success) waiting.get(reply.data.id)?.(reply.data);
    });
    const lose = () => {
      if (child === started) child = null;
      for (const settle of waiting.values()) settle(null);
    };
    started.once("error", lose).once("exit", lose);
    started.stdin.on("error", lose);
    return started;
  }

  return {
    async extract(page, signal) {
      child ??= start();
      const id = String((counter += 1));
      const reply = await new Promise<z.infer<typeof replySchema> | null>((settle) => {
        waiting.set(id, settle);
        AbortSignal.any([signal, AbortSignal.timeout(replyTimeoutMs)]).addEventListener("abort", () => settle(null));
        child?.stdin.write(`${JSON.stringify({ id, ...page })}\n`);
      });
      waiting.delete(id);
      return reply?.ok ? { title: reply.title, markdown: reply.text_markdown } : null;
    },
    close() {
      child?.kill();
    },
  };
}
