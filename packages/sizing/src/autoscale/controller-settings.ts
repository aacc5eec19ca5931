import { z } from "zod";
import { SizingError } from "../sizing-error.ts";
import { defaultLimits, defaultProfile } from "./replica-profile.ts";

const positive = z.number().positive();
const count = z.number().int().min(0);

const settingsSchema = z
  .object({
    /** What one replica can do; from the sizing model or from a measurement. */
    profile: z
      .object({
        name: z.string(),
        gpus: positive,
        prefillTokensPerSecond: positive,
        decodeBaseMs: positive,
        decodePerSequenceMs: z.number().min(0),
        maxBatch: positive,
        stepTokens: positive,
        kvTokens: positive,
      })
      .default(defaultProfile),
    limits: z.object({ ttftMs: positive, tpotMs: positive }).default(defaultLimits),
    /** Share of requests that must be within the limits. */
    target: z.number().min(0.5).max(0.9999).default(0.99),
    /** `late-last` where the gateway sends priorities (request-priority.ts); in order of arrival more replicas are needed. */
    order: z.enum(["late-last", "arrival"]).default("arrival"),
    /** From the order of a replica to its first request. */
    coldStartSeconds: positive.default(300),
    /** Between two calls of `step`. */
    intervalSeconds: positive.default(15),
    minReplicas: count.default(1),
    maxReplicas: positive.int().default(1000),
    /** Loaded replicas above what traffic needs now, at least: a reserve that no forecast may use up. */
    warmReplicas: count.default(0),
    /** How long fewer replicas must have been enough before any is drained, beside hysteresis and the mean of a minute. */
    scaleDownDelaySeconds: z.number().min(0).default(0),
  })
  .refine(({ minReplicas, maxReplicas }) => minReplicas <= maxReplicas, {
    path: ["minReplicas"],
    message: "must not be more than maxReplicas",
  });

export type ControllerSettings = z.infer<typeof settingsSchema>;
/** What has to be known of a replica to scale its fleet, and to tell which of its requests will be late. */
export type ServingProfile = Pick<ControllerSettings, "profile" | "limits" | "order" | "coldStartSeconds">;

/** @throws SizingError INVALID_REQUEST that names the setting */
export function readControllerSettings(settings: z.input<typeof settingsSchema>): ControllerSettings {
  const parsed = settingsSchema.safeParse(settings);
  if (!parsed.success) {
    throw new SizingError("INVALID_REQUEST", `The autoscaler's settings: ${z.prettifyError(parsed.error)}`);
  }
  return parsed.data;
}
