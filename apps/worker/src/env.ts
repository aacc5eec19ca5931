import { defaultDeletionPolicy } from "@anneal/core/connect/deletion-policy";
import { defaultDirectoryMinutes, defaultTombstoneDays } from "@anneal/core/connect/contract";
import { defaultLimits } from "@anneal/connectors/connector";
import { defaultParseTimeoutMs } from "@anneal/documents/parser-pool";
import { unstructuredStrategies } from "@anneal/documents/unstructured/unstructured-client";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { z } from "zod";
import { defaultDocumentTimeoutMs } from "./activities/deadline.ts";

/** The worker's settings. `.env.example` documents each; the embedded stack sets what is not set. */
const schema = z.object({
  ANNEAL_STATE_DIR: z.string().min(1),
  ANNEAL_DATABASE_URL: z.string().min(1),
  ANNEAL_TEMPORAL_ADDRESS: z.string().min(1),
  ANNEAL_TEMPORAL_NAMESPACE: z.string().default("default"),
  ANNEAL_QDRANT_URL: z.url(),
  ANNEAL_QDRANT_API_KEY: z.string().optional(),
  ANNEAL_EMBEDDINGS_URL: z.url(),
  ANNEAL_EMBEDDINGS_MODEL: z.string().min(1),
  ANNEAL_EMBEDDINGS_API_KEY: z.string().optional(),
  ANNEAL_INFERENCE_URLS: z.string().transform((text) =>
    text
      .split(",")
      .map((url) => url.trim().replace(/\/+$/, ""))
      .filter((url) => url !== ""),
  ),
  ANNEAL_INFERENCE_API_KEY: z.string().optional(),
  ANNEAL_INFERENCE_PRIORITIES: z.enum(["true", "false"]).default("false"),
  ANNEAL_INFERENCE_GPUS: z
    .string()
    .regex(/^([1-9]\d{0,2}x)?[A-Za-z][\w. -]*$/, "is a GPU of the planner's catalogue, or a count and one: 2xH100-80GB")
    .optional(),
  ANNEAL_GPUS: z
    .string()
    .regex(/^(none|[\w./-]+(\s*,\s*[\w./-]+)*)$/, "is none, or numbers or UUIDs of GPUs as nvidia-smi lists them: 0,1")
    .optional(),
  ANNEAL_MAX_LORA_RANK: z.coerce.number().int().positive().optional(),
  ANNEAL_BASE_MODEL: z.string().min(1),
  ANNEAL_TRAINING_SAMPLES: z.coerce.number().int().min(0).max(20).default(3),
  ANNEAL_AUTOSCALE_INTERVAL_SECONDS: z.coerce.number().positive().default(15),
  ANNEAL_OBJECTS: z.string().min(1),
  ANNEAL_MAX_DELETED_SHARE: z.coerce.number().min(0).max(1).default(defaultDeletionPolicy.maxShare),
  ANNEAL_DIRECTORY_MINUTES: z.coerce
    .number()
    .min(1)
    .max(7 * 24 * 60)
    .default(defaultDirectoryMinutes),
  ANNEAL_DOCUMENT_TIMEOUT_SECONDS: z.coerce
    .number()
    .positive()
    .max(24 * 60 * 60)
    .default(defaultDocumentTimeoutMs / 1000),
  ANNEAL_DOCUMENT_MAX_MIB: z.coerce
    .number()
    .int()
    .min(1)
    .max(1024)
    .default(defaultLimits.documentBytes / 2 ** 20),
  ANNEAL_PARSE_TIMEOUT_SECONDS: z.coerce
    .number()
    .positive()
    .max(24 * 60 * 60)
    .default(defaultParseTimeoutMs / 1000),
  ANNEAL_TOMBSTONE_DAYS: z.coerce.number().positive().max(3650).default(defaultTombstoneDays),
  ANNEAL_S3_ENDPOINT: z.string().optional(),
  ANNEAL_TEACHER_URL: z.url().optional(),
  ANNEAL_TEACHER_MODEL: z.string().optional(),
  ANNEAL_TEACHER_API_KEY: z.string().optional(),
  ANNEAL_OCR_LANGUAGES: z
    .string()
    .regex(/^[A-Za-z]\w*(\+[A-Za-z]\w*)*$/, "names Tesseract's language packs, such as eng+deu")
    .transform((text) => text.split("+"))
    .optional(),
  ANNEAL_UNSTRUCTURED_URL: z
    .url({ protocol: /^https?$/, error: "is an http or https address" })
    .refine((text) => URL.parse(text)?.username === "", "holds no name or password: the key has its own setting")
    .optional(),
  ANNEAL_UNSTRUCTURED_API_KEY: z.string().optional(),
  ANNEAL_UNSTRUCTURED_STRATEGY: z.enum(unstructuredStrategies).default("auto"),
  ANNEAL_ENCRYPTION_KEY: z.string().optional(),
  ANNEAL_ENCRYPTION_KEYS_OLD: z.string().optional(),
  ANNEAL_ENCRYPTION_KEY_COMMAND: z.string().optional(),
  ANNEAL_PYTHON: z.string().min(1),
  PYTHONPATH: z.string().optional(),
  ANNEAL_CHROMIUM: z.string().optional(),
  ANNEAL_WORKER_METRICS_ADDRESS: z
    .string()
    .regex(/^(\d{1,3}(\.\d{1,3}){3}|\[[\da-f:]+\]):\d{1,5}$/i, "is an address and a port: 127.0.0.1:9464")
    .optional(),
  ANNEAL_WORKER_ID: z.string().default(`${hostname()}-${process.pid}`),
});

export type Env = z.infer<typeof schema>;

/** Where this machine has what the platform keeps: database, keys, sign-ins, documents of all workspaces. */
export function ownFoldersOf(env: Pick<Env, "ANNEAL_STATE_DIR" | "ANNEAL_OBJECTS">): string[] {
  const objects = URL.parse(env.ANNEAL_OBJECTS);
  const objectFolders = objects?.protocol === "file:" ? [decodeURIComponent(objects.pathname)] : [];
  return [resolve(env.ANNEAL_STATE_DIR), ...objectFolders];
}

export function readEnv(variables: NodeJS.ProcessEnv = process.env): Env {
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    throw new Error(`The worker's settings are not complete:\n${z.prettifyError(parsed.error)}\nSee .env.example.`);
  }
  return parsed.data;
}
