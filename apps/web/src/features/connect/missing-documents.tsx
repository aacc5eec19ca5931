import Link from "next/link";
import { wordUnnamed } from "@anneal/core/connect/deletion-policy";
import type { Answers } from "#lib/trpc.ts";
import { useWorkspace } from "#lib/workspace.tsx";

type MissingDocumentsProps = {
  /** How many the last read missed. */
  count: number;
  /** The first of them, of those that whoever looks may read. */
  documents: Answers["connect"]["get"]["missingDocuments"];
};

/** What confirming the deletions of a source would delete, to be looked at before. */
export function MissingDocuments({ count, documents }: MissingDocumentsProps) {
  const { href, role } = useWorkspace();
  const unnamed = wordUnnamed(count, documents.length);
  if (documents.length === 0)
    return (
      <p>
        {role === "admin"
          ? "Which they are is not known any more: read it again first to see."
          : "You may read none of the first of them; an administrator sees which they are."}
      </p>
    );
  return (
    <div className="rounded-panel border border-line">
      <ul aria-label="Documents that would be deleted" className="max-h-60 divide-y divide-line overflow-y-auto">
        {documents.map(({ id, title, ref }) => (
          <li key={id} className="px-3 py-1.5">
            <Link href={href(`/documents/${id}`)} className="block truncate font-medium text-ink hover:underline">
              {title}
            </Link>
            {ref !== title && (
              <span className="block truncate font-mono text-xs" title={ref}>
                {ref}
              </span>
            )}
          </li>
        ))}
      </ul>
      {unnamed !== null && <p className="border-t border-line px-3 py-1.5">{unnamed}</p>}
    </div>
  );
}
