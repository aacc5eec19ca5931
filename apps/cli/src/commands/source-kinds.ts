import { AnnealError } from "@anneal/core/errors";
import { z } from "zod";
import type { PortalClient } from "../portal/client.ts";
import type { FieldSchema } from "./read-fields.ts";
import { signInOfferSchema } from "./sign-in.ts";

const kindsSchema = z.array(
  z.object({
    kind: z.string(),
    title: z.string(),
    description: z.string(),
    /** How it learns what changed and what it can, a sentence each; a portal of before does not say. */
    facts: z.array(z.string()).default([]),
    config: z.custom<FieldSchema>(),
    secrets: z.custom<FieldSchema>(),
    /** The settings that say who gets to see the credentials; a portal of before does not say. */
    addressFields: z.array(z.string()).default([]),
    signIn: signInOfferSchema.nullable(),
  }),
);
export type SourceKind = z.infer<typeof kindsSchema>[number];

/** What the portal can connect; its own forms are drawn from the same. */
export async function listKinds(portal: Pick<PortalClient, "query">): Promise<SourceKind[]> {
  return portal.query("connect.kinds", undefined, kindsSchema);
}

/** @throws AnnealError NOT_FOUND that names the kinds there are, and first those that may be meant */
export function requireKind(kinds: readonly SourceKind[], kind: string): SourceKind {
  const found = kinds.find((each) => each.kind === kind);
  if (found) return found;
  const meant = findMeant(kinds, kind).map((each) => `${each.kind} (${each.title})`);
  const suggestion = meant.length === 0 ? "" : `Did you mean ${meant.join(" or ")}? `;
  throw new AnnealError("NOT_FOUND", `There is no source of kind “${kind}”.`, {
    action: `${suggestion}Use one of: ${kinds.map((each) => each.kind).join(", ")}.`,
  });
}

/** The product calls a kind by its title: those that all words are of. */
function findMeant(kinds: readonly SourceKind[], wanted: string): SourceKind[] {
  const words = wordsOf(wanted);
  if (words.length === 0) return [];
  return kinds.filter(({ kind, title }) => {
    const known = [kind, ...wordsOf(title)];
    return words.every((word) => known.includes(word));
  });
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
