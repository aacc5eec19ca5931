import { AnnealError, errorCodes, type ErrorCode } from "@anneal/core/errors";
import { citationSchema, type Citation } from "@anneal/core/loop/contract";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** The portal's API as the command line uses it: the same calls, with an API key, that any service can make. */
export type PortalClient = {
  url: string;
  query<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T>;
  mutate<T>(procedure: string, input: unknown, output: z.ZodType<T>): Promise<T>;
  ask(model: string, question: string): Promise<Answer>;
};

const maxAnswerTokens = 96;
/** An engine that starts, or starts again, is back within this. */
const engineWaitMs = 120_000;
const engineRetryMs = 1000;

const completionSchema = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })),
  anneal: z.object({ refused: z.boolean(), outcome: z.string(), citations: z.array(citationSchema) }).optional(),
});

export type Answer = {
  question: string;
  answer: string;
  refused: boolean;
  citations: Citation[];
};

const reportSchema = z.object({
  code: z.string(),
  message: z.string(),
  action: z.string(),
  details: z.record(z.string(), z.unknown()).optional(),
});

export function createPortalClient(options: { url: string; workspace: string; apiKey: string }): PortalClient {
  const url = options.url.replace(/\/+$/, "");
  const headers = { authorization: `Bearer ${options.apiKey}`, "content-type": "application/json" };

  async function request(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(`${url}${path}`, { ...init, headers }).catch((cause: unknown) => {
      throw new AnnealError("ENGINE_UNAVAILABLE", `The portal at ${url} does not answer.`, {
        action: "Start it with `npm start`, or pass --portal and --api-key of one that runs.",
        cause,
      });
    });
    const body: unknown = await response.json().catch(() => null);
    if (response.ok) return body;
    throw readError(response.status, body);
  }

  /** An engine that is not ready yet is waited for: a question asked from a script has nobody to ask it again. */
  async function requestOfEngine(path: string, init: RequestInit): Promise<unknown> {
    const until = Date.now() + engineWaitMs;
    for (;;) {
      try {
        return await request(path, init);
      } catch (error) {
        if (!(error instanceof AnnealError) || !error.retryable || Date.now() > until) throw error;
        await sleep(engineRetryMs);
      }
    }
  }

  const unwrap = <T>(body: unknown, output: z.ZodType<T>): T =>
    output.parse(
      z.object({ result: z.object({ data: z.object({ json: z.unknown() }) }) }).parse(body).result.data.json,
    );

  return {
    url,
    async query(procedure, input, output) {
      const query = new URLSearchParams({ input: JSON.stringify({ json: input }) });
      return unwrap(await request(`/api/w/${options.workspace}/trpc/${procedure}?${query}`, {}), output);
    },
    async mutate(procedure, input, output) {
      const body = JSON.stringify({ json: input });
      return unwrap(await request(`/api/w/${options.workspace}/trpc/${procedure}`, { method: "POST", body }), output);
    },
    async ask(model, question) {
      // A base model that knows no answer would fill its whole context with words; an assistant has its own limit.
      const body = JSON.stringify({
        model,
        messages: [{ role: "user", content: question }],
        temperature: 0,
        max_tokens: maxAnswerTokens,
      });
      const { choices, anneal } = completionSchema.parse(
        await requestOfEngine("/api/v1/chat/completions", { method: "POST", body }),
      );
      return {
        question,
        answer: choices[0]?.message.content ?? "",
        refused: anneal?.refused ?? false,
        citations: anneal?.citations ?? [],
      };
    },
  };
}

/** The portal's report where it sent one, in tRPC's wrapping or in the OpenAI API's. */
function readError(status: number, body: unknown): AnnealError {
  const candidates = [
    z.object({ error: z.object({ json: z.object({ data: z.object({ report: reportSchema }) }) }) }).safeParse(body).data
      ?.error.json.data.report,
    z.object({ error: reportSchema }).safeParse(body).data?.error,
  ];
  const report = candidates.find((candidate) => candidate !== undefined);
  const code = errorCodes.find((known) => known === report?.code) as ErrorCode | undefined;
  return new AnnealError(code ?? "ENGINE_UNAVAILABLE", report?.message ?? `The portal answered ${status}.`, {
    action: report?.action ?? "Look at the portal's log, .anneal/logs/web.log.",
    details: report?.details ?? {},
    retryable: status === 503,
  });
}
