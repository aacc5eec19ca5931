import { z } from "zod";
import type { SourceFacts } from "../src/connector.ts";
import { privateHostsField } from "../src/private-hosts-field.ts";

/**
 * What a person enters. The portal draws its form from this schema: text, numbers, switches, choices (`choice`, with the
 * words that people read for each) and lists of text become fields, anything nested becomes a field of JSON. Each field has
 * a title; a description where the title does not say it all.
 */
export const templateSourceConfigSchema = z.object({
  url: z.url({ protocol: /^https?$/ }).meta({
    title: "Address",
    description: "Where the service's API begins.",
  }),
  folder: z.string().default("").meta({ title: "Folder", description: "Only documents in it are read." }),
  allowPrivateHosts: privateHostsField("For services in one's own network."),
});
export type TemplateSourceConfig = z.infer<typeof templateSourceConfigSchema>;

/** Kept apart, encrypted, and never shown again. Text only. */
export const templateSourceSecretSchema = z.object({
  token: z.string().min(1).meta({ title: "Access token", description: "It needs the right to read documents." }),
});
export type TemplateSourceSecrets = z.infer<typeof templateSourceSecretSchema>;

/** What the portal and the command line say of it in plain words, where somebody chooses a source. */
export const templateSourceFacts: SourceFacts = {
  // "delta" or "change-cursor" where the service tells what has changed: then a checkpoint carries the position in it.
  changeModel: "fingerprint",
  capabilities: { permissions: true, deletions: true, moves: false },
};
