import { z } from "zod";

export const piiTypes = [
  "EMAIL",
  "PHONE",
  "IBAN",
  "PAYMENT_CARD",
  "IP_ADDRESS",
  "MAC_ADDRESS",
  "SECRET",
  "US_SSN",
  "NATIONAL_ID",
] as const;
export type PiiType = (typeof piiTypes)[number];

/**
 * remove: nothing is left; mask: `[EMAIL]`; tokenise: `[EMAIL_1]`, the same number for the same value throughout a
 * document; keep: left as it is.
 */
export const piiActions = ["remove", "mask", "tokenise", "keep"] as const;
export type PiiAction = (typeof piiActions)[number];

const actionsSchema = z.partialRecord(z.enum(piiTypes), z.enum(piiActions));

export const piiPolicySchema = z.object({
  /** What happens to every type that `actions` does not name. */
  defaultAction: z.enum(piiActions).default("mask"),
  actions: actionsSchema.default({}),
  /** Exceptions by ISO 639-1 language of the document. */
  actionsByLanguage: z.record(z.string(), actionsSchema).default({}),
  /** ISO 3166-1 countries whose national phone formats are recognised; international ones (+49 ...) always are. */
  phoneRegions: z
    .array(z.string().regex(/^[A-Z]{2}$/))
    .default(["US", "GB", "DE", "AT", "CH", "FR", "ES", "IT", "NL", "BE"]),
});
export type PiiPolicy = z.infer<typeof piiPolicySchema>;

export const qualityPolicySchema = z.object({
  /**
   * enterprise: drops only what is no use to anyone, however short or tabular; web: the published limits of Gopher, C4
   * and FineWeb as they stand, for crawled prose.
   */
  profile: z.enum(["enterprise", "web"]).default("enterprise"),
  /** Overrides the profile's lower limit. */
  minWords: z.number().int().min(0).nullable().default(null),
});
export type QualityPolicy = z.infer<typeof qualityPolicySchema>;

/** How documents are cleaned; stored per workspace. */
export const cleanPolicySchema = z.object({
  /** ISO 639-1 languages to keep; null keeps all. A document of undetermined language is always kept. */
  languages: z
    .array(z.string().regex(/^[a-z]{2}$/))
    .nullable()
    .default(null),
  quality: qualityPolicySchema.prefault({}),
  pii: piiPolicySchema.prefault({}),
});
export type CleanPolicy = z.infer<typeof cleanPolicySchema>;

export const defaultCleanPolicy: CleanPolicy = cleanPolicySchema.parse({});
