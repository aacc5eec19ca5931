import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";

export type EmbeddingsClient = {
  model: string;
  /** One vector per text, in order; each of the model's dimensions, unit length if the model normalises. */
  embed(texts: string[], signal?: AbortSignal): Promise<number[][]>;
};

const responseSchema = z.object({ data: z.array(z.object({ index: z.number(), embedding: z.array(z.number()) })) });

/** Any OpenAI-compatible embeddings server; `url` ends in `/v1`. */
export function createEmbeddingsClient(options: {
  url: string;
  model: string;
  apiKey?: string | undefined;
  batchSize?: number;
}): EmbeddingsClient {
  const { url, model, apiKey, batchSize = 32 } = options;
  async function embedBatch(input: string[], signal?: AbortSignal): Promise<number[][]> {
    const response = await fetch(`${url}/embeddings`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}) },
      body: JSON.stringify({ model, input, encoding_format: "float" }),
      ...(signal ? { signal } : {}),
    }).catch((cause: unknown) => {
      if (signal?.aborted) throw cause;
      throw new AnnealError("ENGINE_UNAVAILABLE", `The embeddings server at ${url} does not answer.`, {
        action: "Wait until it has started, or check ANNEAL_EMBEDDINGS_URL.",
        retryable: true,
        cause,
      });
    });
    if (!response.ok) {
      throw new AnnealError("ENGINE_UNAVAILABLE", `The embeddings server answered ${response.status}.`, {
        action: "Check ANNEAL_EMBEDDINGS_MODEL and ANNEAL_EMBEDDINGS_API_KEY.",
        details: { status: response.status, engineMessage: (await response.text()).slice(0, 400) },
        retryable: response.status >= 500 || response.status === 429,
      });
    }
    const { data } = responseSchema.parse(await response.json());
    return data.sort((left, right) => left.index - right.index).map((item) => item.embedding);
  }
  return {
    model,
    async embed(texts, signal) {
      const vectors: number[][] = [];
      for (let start = 0; start < texts.length; start += batchSize) {
        vectors.push(...(await embedBatch(texts.slice(start, start + batchSize), signal)));
      }
      return vectors;
    },
  };
}
