import { z } from "zod";

/** `lifetimeMs` counts from the answer; null where the service did not say. */
export type AccessToken = { value: string; lifetimeMs: number | null };

/** A token service's answer (RFC 6749, 5.1). */
export const tokenAnswerSchema = z.object({
  access_token: z.string().min(1),
  // Seconds, which some write as text. Without them a token is used until it is refused.
  expires_in: z.coerce.number().positive().nullable().catch(null),
});

export function readAccessToken({ access_token, expires_in }: z.infer<typeof tokenAnswerSchema>): AccessToken {
  return { value: access_token, lifetimeMs: expires_in === null ? null : expires_in * 1000 };
}
