import { formatCount } from "#lib/format.ts";
import type { Answers } from "#lib/trpc.ts";

export type Withheld = Answers["deploy"]["get"]["withheld"][number];

const maxNamed = 3;

/** Which version somebody may not use any more, why, who that is, and what to do about it. */
export function withheldSentence({
  name,
  version,
  documents,
  people,
}: Pick<Withheld, "name" | "version" | "documents" | "people">): string {
  const learned =
    documents > 0
      ? `learned from ${formatCount(documents, "document")} that not everyone may read now`
      : "learned from documents that together not everyone may read now";
  const named = people.slice(0, maxNamed).join(", ");
  const more = people.length > maxNamed ? ` and ${formatCount(people.length - maxNamed, "other")}` : "";
  const have = people.length === 1 ? "has" : "have";
  return `${name} v${version} ${learned}. ${named}${more} ${have} the permission for it and cannot use it; train again to leave those documents out.`;
}
