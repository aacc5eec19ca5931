"use client";

import { mayEdit } from "@anneal/core/access/roles";
import Link from "next/link";
import type { DocumentView } from "#features/documents/document-page.tsx";
import { useWorkspace } from "#lib/workspace.tsx";

type ChangeReadersProps = { document: Pick<DocumentView, "aclInherited" | "source"> };

/** Where the settings of the source decide, the way to them for those who may change them. */
export function ChangeReaders({ document: { aclInherited, source } }: ChangeReadersProps) {
  const { role, href } = useWorkspace();
  if (!aclInherited || source === null || !mayEdit(role)) return null;
  return (
    <Link href={href(`/sources/${source.id}?tab=settings`)} className="text-accent underline">
      Change the default audience of its source
    </Link>
  );
}
