import { AnnealError, isAnnealError } from "@anneal/core/errors";
import type { Scope } from "@anneal/db/database";
import { getDraft, type SourceDraft } from "@anneal/db/queries/source-drafts";
import { secretBox } from "#server/connect/secret-box.ts";
import { isWaiting } from "#server/connect/sign-in-state.ts";

/** `account` is the vendor's name of who signed in. */
type FinishedSignIn = SourceDraft & { account: string };

/** @throws AnnealError CONFLICT for one that nobody has gone through with yet */
export async function requireFinishedSignIn(scope: Scope, signInId: string): Promise<FinishedSignIn> {
  const draft = await requireSignIn(scope, signInId);
  const stored = draft.sealedSecrets === null ? {} : (await secretBox()).open(draft.sealedSecrets, draft.sealedFor);
  if (!isWaiting(stored)) return { ...draft, account: stored.account ?? "" };
  throw new AnnealError("CONFLICT", "The sign-in is not finished.", {
    action: "Enter the code at the address that is shown, and finish the sign-in there.",
  });
}

/** @throws AnnealError NOT_FOUND for one that is over */
export async function requireSignIn(scope: Scope, signInId: string): Promise<SourceDraft> {
  try {
    return await getDraft(scope, signInId);
  } catch (error) {
    if (!isAnnealError(error) || error.code !== "NOT_FOUND") throw error;
    throw new AnnealError("NOT_FOUND", "This sign-in is over: it was used, or was not used for an hour.", {
      action: "Sign in again.",
    });
  }
}
