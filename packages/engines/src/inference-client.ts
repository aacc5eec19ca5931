import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";

export type ChatMessage = { role: "system" | "user" | "assistant"; content: string };

export type ChatRequest = {
  model: string;
  messages: ChatMessage[];
  maxTokens: number;
  temperature: number;
  seed?: number;
  /** OpenAI's `response_format`, for engines with structured output. */
  responseFormat?: Record<string, unknown>;
  /** Lower is earlier; only for an engine that runs with priorities. */
  priority?: number;
  signal?: AbortSignal;
};

export type CompletionRequest = Omit<ChatRequest, "messages" | "responseFormat"> & { prompt: string };

export type ChatResult = { text: string; promptTokens: number; completionTokens: number; finishReason: string | null };

const usageSchema = z.object({ prompt_tokens: z.number(), completion_tokens: z.number() });
const chatSchema = z.object({
  choices: z.array(
    z.object({ message: z.object({ content: z.string().nullable() }), finish_reason: z.string().nullable() }),
  ),
  usage: usageSchema,
});
const completionSchema = z.object({
  choices: z.array(z.object({ text: z.string(), finish_reason: z.string().nullable() })),
  usage: usageSchema,
});
const chunkSchema = z.object({
  choices: z.array(
    z.object({ delta: z.object({ content: z.string().nullish() }), finish_reason: z.string().nullish() }),
  ),
  usage: usageSchema.nullish(),
});
const modelsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      root: z.string().nullish(),
      parent: z.string().nullish(),
      max_model_len: z.number().nullish(),
    }),
  ),
});

/** One vLLM server (or, for plain chat, any OpenAI-compatible one). `url` has no `/v1`. */
export type InferenceClient = {
  url: string;
  isHealthy(signal?: AbortSignal): Promise<boolean>;
  listModels(): Promise<{ id: string; root: string | null; isAdapter: boolean; maxModelLen: number | null }[]>;
  chat(request: ChatRequest): Promise<ChatResult>;
  /** Continues `prompt` as it is, without the model's chat template. */
  complete(request: CompletionRequest): Promise<ChatResult>;
  /** Yields text deltas; returns the usage. */
  streamChat(request: ChatRequest): AsyncGenerator<string, Omit<ChatResult, "text">>;
  /** Loading a name that is loaded already is fine: serving names are immutable. */
  loadAdapter(servingName: string, path: string): Promise<void>;
  unloadAdapter(servingName: string): Promise<void>;
  /** Unix seconds at which the engine's process started, from its metrics; null when it does not say. */
  readStartTime(): Promise<number | null>;
  /** Its metrics as Prometheus text. */
  readMetrics(signal?: AbortSignal): Promise<string>;
};

function toResult(
  text: string | null | undefined,
  finishReason: string | null | undefined,
  usage: z.infer<typeof usageSchema>,
): ChatResult {
  return {
    text: text ?? "",
    promptTokens: usage.prompt_tokens,
    completionTokens: usage.completion_tokens,
    finishReason: finishReason ?? null,
  };
}

export function createInferenceClient(options: { url: string; apiKey?: string | undefined }): InferenceClient {
  const url = options.url.replace(/\/+$/, "");
  const headers = {
    "content-type": "application/json",
    ...(options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {}),
  };

  async function request(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${url}${path}`, { ...init, headers });
    } catch (cause) {
      if (init.signal?.aborted) throw cause;
      throw new AnnealError("ENGINE_UNAVAILABLE", `The inference engine at ${url} does not answer.`, {
        action: "Wait until it has started, or check ANNEAL_INFERENCE_URLS and the engine's log.",
        retryable: true,
        cause,
      });
    }
    if (response.ok) return response;
    throw classifyEngineError(response.status, await response.text());
  }
  const readMetrics = async (signal?: AbortSignal) => (await request("/metrics", signal ? { signal } : {})).text();
  const post = (path: string, body: unknown, signal?: AbortSignal) =>
    request(path, { method: "POST", body: JSON.stringify(body), ...(signal ? { signal } : {}) });

  const sampling = (request: ChatRequest | CompletionRequest) => ({
    model: request.model,
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    ...(request.priority === undefined ? {} : { priority: request.priority }),
  });
  const body = (chat: ChatRequest, stream: boolean) => ({
    ...sampling(chat),
    messages: chat.messages,
    ...(chat.responseFormat === undefined ? {} : { response_format: chat.responseFormat }),
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });

  return {
    url,
    async isHealthy(signal) {
      return fetch(`${url}/health`, { headers, ...(signal ? { signal } : {}) }).then(
        (response) => response.ok,
        () => false,
      );
    },
    async listModels() {
      const { data } = modelsSchema.parse(await (await request("/v1/models", {})).json());
      return data.map((model) => ({
        id: model.id,
        root: model.root ?? null,
        isAdapter: Boolean(model.parent),
        maxModelLen: model.max_model_len ?? null,
      }));
    },
    async chat(chat) {
      const response = await post("/v1/chat/completions", body(chat, false), chat.signal);
      const { choices, usage } = chatSchema.parse(await response.json());
      return toResult(choices[0]?.message.content, choices[0]?.finish_reason, usage);
    },
    async complete(completion) {
      const response = await post(
        "/v1/completions",
        { ...sampling(completion), prompt: completion.prompt },
        completion.signal,
      );
      const { choices, usage } = completionSchema.parse(await response.json());
      return toResult(choices[0]?.text, choices[0]?.finish_reason, usage);
    },
    async *streamChat(chat) {
      const response = await post("/v1/chat/completions", body(chat, true), chat.signal);
      const result = { promptTokens: 0, completionTokens: 0, finishReason: null as string | null };
      for await (const data of readServerSentEvents(response.body!)) {
        if (data === "[DONE]") break;
        const chunk = chunkSchema.parse(JSON.parse(data));
        if (chunk.usage) {
          result.promptTokens = chunk.usage.prompt_tokens;
          result.completionTokens = chunk.usage.completion_tokens;
        }
        const choice = chunk.choices[0];
        if (choice?.finish_reason) result.finishReason = choice.finish_reason;
        if (choice?.delta.content) yield choice.delta.content;
      }
      return result;
    },
    async loadAdapter(servingName, path) {
      try {
        await post("/v1/load_lora_adapter", { lora_name: servingName, lora_path: path });
      } catch (error) {
        if (error instanceof AnnealError && error.details["alreadyLoaded"] === true) return;
        throw error;
      }
    },
    async unloadAdapter(servingName) {
      try {
        await post("/v1/unload_lora_adapter", { lora_name: servingName });
      } catch (error) {
        if (error instanceof AnnealError && error.code === "NOT_FOUND") return;
        throw error;
      }
    },
    async readStartTime() {
      const match = /^process_start_time_seconds\s+([\d.e+]+)/m.exec(await readMetrics());
      return match ? Number(match[1]) : null;
    },
    readMetrics,
  };
}

/** The data of each server-sent event (the WHATWG format, the part of it that OpenAI-compatible servers use). */
export async function* readServerSentEvents(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const part of bytes) {
    const events = (rest + decoder.decode(part, { stream: true })).split(/\r?\n\r?\n/);
    rest = events.pop() ?? "";
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith("data:"))
        .map((line) => line.slice(5).replace(/^ /, ""))
        .join("\n");
      if (data !== "") yield data;
    }
  }
}

/** vLLM reports adapter faults as 4xx or 500 with prose; this is the one place that reads the prose. */
export function classifyEngineError(status: number, text: string): AnnealError {
  const message = /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 400);
  const details = { status, engineMessage: message.slice(0, 400) };
  if (/already (been )?loaded/i.test(text)) {
    return new AnnealError("CONFLICT", "The engine holds this adapter already.", {
      action: "Nothing needs to be done.",
      details: { ...details, alreadyLoaded: true },
    });
  }
  if (/rank .*(greater|larger|exceed)|max_lora_rank/i.test(text)) {
    return new AnnealError("ADAPTER_UNSERVEABLE", "The adapter's rank is above what the engine was started for.", {
      action: "Train with a smaller rank, or start the engine with a larger --max-lora-rank.",
      details,
    });
  }
  if (
    /No adapter found|not a (valid )?lora|adapter_config|safetensors|target_modules|unexpected modules|lora_path/i.test(
      text,
    )
  ) {
    return new AnnealError("ADAPTER_UNSERVEABLE", "The engine cannot load this adapter.", {
      action: "Look at the engine's message in the details; train or import the adapter for this base model.",
      details,
    });
  }
  if (status === 404 || /does not exist|cannot be found|not found/i.test(message)) {
    return new AnnealError("NOT_FOUND", "The engine does not serve this model.", {
      action: "Deploy the adapter, or choose a model that /models lists.",
      details,
    });
  }
  if (status === 401 || status === 403) {
    return new AnnealError("ENGINE_UNAVAILABLE", "The engine refused our key.", {
      action: "Set ANNEAL_INFERENCE_API_KEY to the key the engine was started with.",
      details,
    });
  }
  if (status === 429) {
    return new AnnealError("RATE_LIMITED", "The engine has too many requests in its queue.", {
      action: "Try again in a moment.",
      details,
      retryable: true,
    });
  }
  // As vLLM lists what its request model refuses: {'type': …, 'loc': 'body.temperature', 'msg': 'Input should be …'}.
  const [, param, problem] = /'loc': '(?:body\.)?([^']+)', 'msg': '([^']+)'/.exec(message) ?? [];
  if (param !== undefined && status >= 400 && status < 500) {
    return new AnnealError("INVALID_INPUT", `The engine refused ${JSON.stringify(param)}: ${problem}.`, {
      action: "Change it as the message says.",
      details: { ...details, param },
    });
  }
  if (status >= 400 && status < 500) {
    return new AnnealError("INVALID_INPUT", `The engine refused the request: ${message.slice(0, 200)}`, {
      action: "Change the request as the message says.",
      details,
    });
  }
  return new AnnealError("ENGINE_UNAVAILABLE", "The inference engine failed while answering.", {
    action: "Try again; if it stays, look at the engine's log.",
    details,
    retryable: true,
  });
}
