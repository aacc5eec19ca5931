import { mayRun } from "@anneal/core/access/roles";
import type { Principal } from "@anneal/core/access/acl";
import { withoutMissingRefs } from "@anneal/core/connect/deletion-policy";
import type { ErrorReport } from "@anneal/core/errors";
import type { SourceSync, SyncCounts } from "@anneal/db/queries/source-syncs";
import type { Identity } from "#server/auth/identity.ts";

type Reader = Pick<Identity, "role" | "principals">;

/** How much a source has is for whoever runs it to know; others are told of what they may read. */
export function countsAll({ role }: Pick<Identity, "role">): boolean {
  return mayRun(role);
}

/** Whose documents a source's figures count; undefined: everybody's. */
export function countedFor(identity: Reader): Principal[] | undefined {
  return countsAll(identity) ? undefined : identity.principals;
}

/** What was wrong when a source was read: which documents for nobody (`listMissing` is), how many for whoever runs it. */
export function sourceErrorFor<E extends ErrorReport>(identity: Pick<Identity, "role">, error: E | null): E | null {
  if (error?.details?.["known"] === undefined) return error;
  if (countsAll(identity)) return withoutMissingRefs(error);
  return {
    ...error,
    message: "The source no longer has many of its documents; they were kept.",
    action: "Ask an operator of the workspace, who can confirm that they are gone.",
    details: { heldBack: true },
  };
}

/** Why people and groups could not be read may name a group or a document, which not everybody may know of. */
export function directoryErrorFor(identity: Pick<Identity, "role">, error: ErrorReport | null): ErrorReport | null {
  if (error === null || countsAll(identity)) return error;
  return {
    code: error.code,
    message: "Not all people and groups of the source could be read.",
    action: "Ask an operator of the workspace, who sees why.",
    details: {},
  };
}

type Figures = { [Count in keyof SyncCounts | "failedPlaces"]: number | null } & Pick<SourceSync, "progress"> & {
    leftOut: SourceSync["leftOut"] | null;
  };

/** A sync as somebody may know of it: that it was, when and how it ended, and how much it read only where that is theirs. */
export function syncFor<
  Sync extends Pick<SourceSync, keyof SyncCounts | "failedPlaces" | "progress" | "leftOut" | "error">,
>(identity: Reader, sync: Sync): Omit<Sync, keyof Figures> & Figures {
  const error = sourceErrorFor(identity, sync.error);
  if (countsAll(identity)) return { ...sync, error };
  const none = { scanned: null, read: null, added: null, changed: null, removed: null, dropped: null, bytes: null };
  return { ...sync, ...none, failedPlaces: null, progress: null, leftOut: null, error };
}
