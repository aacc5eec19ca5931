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
    signIn: signInOfferSchema.nullable(),
  }),
);
export type SourceKind = z.infer<typeof kindsSchema>[number];

/** What the portal can connect; its own forms are drawn from the same. */
export async function listKinds(portal: Pick<PortalClient, "query">): Promise<SourceKind[]> {
  return portal.query("connect.kinds", undefined, kindsSchema);
}

/** @throws AnnealError NOT_FOUND that names the kinds there are */
export function requireKind(kinds: readonly SourceKind[], kind: string): SourceKind {
  const found = kinds.find((each) => each.kind === kind);
  if (found) return found;
  throw new AnnealError("NOT_FOUND", `There is no source of kind “${kind}”.`, {
    action: `Use one of: ${kinds.map((each) => each.kind).join(", ")}.`,
  });
}
