import type { DocumentView } from "#features/documents/document-page.tsx";
import { explainReader } from "#features/documents/explain-reader.ts";

type Audience = {
  readers: { allow: readonly unknown[]; closed: readonly unknown[] };
  aclInherited: boolean;
  source: Pick<NonNullable<DocumentView["source"]>, "name"> | null;
};

/** Where a document's readers come from, in a sentence; null where the list of them says it all. */
export function explainAudience({ readers, aclInherited, source }: Audience): string | null {
  const nobody = readers.allow.length === 0;
  if (aclInherited) {
    const its = source === null ? "its source" : `its source “${source.name}”`;
    return nobody
      ? `Nobody: it has no permissions of its own, and the settings of ${its} give such documents to nobody.`
      : `It has no permissions of its own: the settings of ${its} decide who may read it.`;
  }
  if (nobody && readers.closed.length > 0)
    return "Nobody: what lies above it lets nobody through of those whom its own permissions admit.";
  return nobody ? "Nobody: its source names no reader for it, or could not tell who may read it there." : null;
}

/** To an administrator, who sees that a document exists and may not read it. */
export function explainWithheld({ refusal, ...audience }: Audience & Pick<DocumentView, "refusal">): string {
  if (refusal !== null && refusal.by !== null) return explainReader(refusal, "you");
  return explainAudience(audience) ?? "Its source gives it to others only.";
}
