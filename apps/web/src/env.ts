import { z } from "zod";
import { defaultTombstoneDays } from "@anneal/core/connect/contract";
import { AnnealError } from "@anneal/core/errors";

/** The only place that reads `process.env`. Parsed on first use, so that a build needs no configuration. */
const envSchema = z.object({
  ANNEAL_DATABASE_URL: z.string().min(1),
  ANNEAL_TEMPORAL_ADDRESS: z.string().default("127.0.0.1:7233"),
  ANNEAL_TEMPORAL_NAMESPACE: z.string().default("default"),
  ANNEAL_QDRANT_URL: z.string().default("http://127.0.0.1:6333"),
  ANNEAL_QDRANT_API_KEY: z.string().optional(),
  ANNEAL_EMBEDDINGS_URL: z.string().default("http://127.0.0.1:8081/v1"),
  ANNEAL_EMBEDDINGS_MODEL: z.string().default("all-MiniLM-L6-v2"),
  ANNEAL_EMBEDDINGS_API_KEY: z.string().optional(),
  ANNEAL_INFERENCE_URLS: z
    .string()
    .default("http://127.0.0.1:8000")
    .transform((list) =>
      list
        .split(",")
        .map((url) => url.trim())
        .filter(Boolean),
    ),
  ANNEAL_INFERENCE_API_KEY: z.string().optional(),
  ANNEAL_BASE_MODEL: z.string().optional(),
  ANNEAL_MAX_LORA_RANK: z.coerce.number().int().positive().optional(),
  ANNEAL_OBJECTS: z.string().optional(),
  ANNEAL_TOMBSTONE_DAYS: z.coerce.number().positive().max(3650).default(defaultTombstoneDays),
  ANNEAL_S3_ENDPOINT: z.string().optional(),
  ANNEAL_ENCRYPTION_KEY: z.string().optional(),
  ANNEAL_ENCRYPTION_KEYS_OLD: z.string().optional(),
  ANNEAL_ENCRYPTION_KEY_COMMAND: z.string().optional(),
  NEXTAUTH_SECRET: z.string().min(32, "needs at least 32 characters"),
  NEXTAUTH_URL: z.url().optional(),
  ANNEAL_OIDC_ISSUER: z.url().optional(),
  ANNEAL_OIDC_CLIENT_ID: z.string().optional(),
  ANNEAL_OIDC_CLIENT_SECRET: z.string().optional(),
  ANNEAL_OIDC_TRUST_EMAIL: z.enum(["true", "false"]).default("false"),
});

export type Env = z.infer<typeof envSchema>;

let parsed: Env | undefined;

/** @throws AnnealError PREREQUISITE_MISSING naming every setting that is missing or wrong, never its value. */
export function env(): Env {
  if (parsed) return parsed;
  // An empty value in a .env file means "not set".
  const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ""));
  const result = envSchema.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join(".")} (${issue.message})`).join(", ");
    throw new AnnealError("PREREQUISITE_MISSING", `The portal's settings are incomplete: ${problems}.`, {
      action: "Start it with `npm start`, which sets them, or see .env.example.",
    });
  }
  parsed = result.data;
  return parsed;
}
