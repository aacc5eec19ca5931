import { hostname } from "node:os";
import { z } from "zod";

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
  ANNEAL_MAX_LORA_RANK: z.coerce.number().int().positive().optional(),
  ANNEAL_BASE_MODEL: z.string().min(1),
  ANNEAL_TRAINING_SAMPLES: z.coerce.number().int().min(0).max(20).default(3),
  ANNEAL_AUTOSCALE_INTERVAL_SECONDS: z.coerce.number().positive().default(15),
  ANNEAL_OBJECTS: z.string().min(1),
  ANNEAL_S3_ENDPOINT: z.string().optional(),
  ANNEAL_TEACHER_URL: z.url().optional(),
  ANNEAL_TEACHER_MODEL: z.string().optional(),
  ANNEAL_TEACHER_API_KEY: z.string().optional(),
  ANNEAL_ENCRYPTION_KEY: z.string().min(1),
  ANNEAL_PYTHON: z.string().min(1),
  PYTHONPATH: z.string().optional(),
  ANNEAL_CHROMIUM: z.string().optional(),
  ANNEAL_WORKER_ID: z.string().default(`${hostname()}-${process.pid}`),
});

export type Env = z.infer<typeof schema>;

export function readEnv(variables: NodeJS.ProcessEnv = process.env): Env {
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    throw new Error(`The worker's settings are not complete:\n${z.prettifyError(parsed.error)}\nSee .env.example.`);
  }
  return parsed.data;
}
