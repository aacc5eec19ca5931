const maxNamed = 3;

type Withheld = { name: string; version: number; documents: number; people: string[] };

/** Which version somebody may not use any more, why, who that is, and what to do about it. */
export function withheldSentence({ name, version, documents, people }: Withheld): string {
  const learned =
    documents > 0
      ? `learned from ${count(documents, "document")} that not everyone may read now`
      : "learned from documents that together not everyone may read now";
  const named = people.slice(0, maxNamed).join(", ");
  const more = people.length > maxNamed ? ` and ${count(people.length - maxNamed, "other")}` : "";
  const have = people.length === 1 ? "has" : "have";
  return `${name} v${version} ${learned}. ${named}${more} ${have} the permission for it and cannot use it; train again to leave those documents out.`;
}

/** As the portal writes numbers. */
function count(number: number, what: string): string {
  return `${number.toLocaleString("en-GB")} ${what}${number === 1 ? "" : "s"}`;
}
