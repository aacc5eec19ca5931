import { join } from "node:path";
import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import { repoDir } from "./environment.mjs";

const portRange = "must be a whole number from 1 to 65535";
const port = z.coerce.number(portRange).int(portRange).min(1, portRange).max(65_535, portRange);
const count = z.coerce.number("must be a number").int("must be a whole number").positive("must be above 0");
const text = z.string().optional();

/** What the stack reads. `.env.example` documents each; a service whose address is set is not started. */
const schema = z.object({
  ANNEAL_STATE_DIR: z.string().default(join(repoDir, ".anneal")),
  ANNEAL_PORT: port.default(3000),
  ANNEAL_HOST: z.string().default("127.0.0.1"),
  ANNEAL_DATABASE_URL: text,
  /** For migrations, where the role of ANNEAL_DATABASE_URL may not change the schema. */
  ANNEAL_DATABASE_OWNER_URL: text,
  ANNEAL_TEMPORAL_ADDRESS: text,
  ANNEAL_TEMPORAL_NAMESPACE: z.string().default("default"),
  ANNEAL_QDRANT_URL: text,
  ANNEAL_EMBEDDINGS_URL: text,
  ANNEAL_EMBEDDINGS_MODEL: z.string().default("all-MiniLM-L6-v2"),
  ANNEAL_INFERENCE_URLS: text,
  ANNEAL_BASE_MODEL: text,
  ANNEAL_GPUS: text,
  ANNEAL_OBJECTS: text,
  ANNEAL_ENCRYPTION_KEY: text,
  ANNEAL_ENCRYPTION_KEYS_OLD: text,
  ANNEAL_ENCRYPTION_KEY_COMMAND: text,
  NEXTAUTH_SECRET: text,
  NEXTAUTH_URL: text,
  // Of the engine that we start.
  ANNEAL_MAX_LORAS: count.default(4),
  ANNEAL_MAX_LORA_RANK: count.default(16),
  ANNEAL_MAX_CONTEXT_TOKENS: count.default(2048),
  /** Without it: 1 on a CPU, and on GPUs what `estimateGpuEngine` finds right. */
  ANNEAL_KV_CACHE_GIB: z.coerce.number("must be a number").positive("must be above 0").optional(),
  ANNEAL_ENGINE_THREADS: count.optional(),
});
export type StackSettings = z.infer<typeof schema>;

/** @throws AnnealError INVALID_INPUT naming the settings that are wrong, never their values */
export function readStackSettings(env: Readonly<Record<string, string | undefined>>): StackSettings {
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`).join("; ");
  throw new AnnealError("INVALID_INPUT", `Some settings are not valid: ${problems}.`, {
    action: "Correct them; .env.example describes each.",
  });
}
