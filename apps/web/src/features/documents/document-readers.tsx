"use client";

import { useQuery } from "@tanstack/react-query";
import { Check, Minus } from "lucide-react";
import { useState } from "react";
import type { Principal } from "@anneal/core/access/acl";
import { Badge } from "#components/ui/badge.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Input } from "#components/ui/input.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import type { DocumentView } from "#features/documents/document-page.tsx";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const shownPeople = 8;

/** The document's audience as its source gives it and, for administrators, what that means for each member. */
export function DocumentReaders({ document }: { document: Pick<DocumentView, "id" | "acl" | "readable"> }) {
  const { role } = useWorkspace();
  const { acl, readable } = document;
  return (
    <div className="space-y-2 text-13">
      <p className="text-muted">
        {readable ? "You may: one of these admits you." : "You may not: none of these admits you."}
      </p>
      {acl.allow.length === 0 && <p>Nobody: its source names no reader, or who may read it there could not be told.</p>}
      <PrincipalList title="Allowed" principals={acl.allow} />
      <PrincipalList title="Denied, whatever else allows them" principals={acl.deny} />
      {role === "admin" && <Members documentId={document.id} />}
    </div>
  );
}

type Reader = Answers["documents"]["readers"][number];

function Members({ documentId }: { documentId: string }) {
  const trpc = useTRPC();
  const { data, error, refetch } = useQuery(trpc.documents.readers.queryOptions({ documentId }));
  const [search, setSearch] = useState("");
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={2} />;
  const found = data
    .filter(({ email }) => email.includes(search.trim().toLowerCase()))
    .toSorted((left, right) => Number(right.readable) - Number(left.readable));
  return (
    <section aria-labelledby="members-access" className="border-t border-line pt-2">
      <h3 id="members-access" className="text-xs text-muted">
        As each member sees it
      </h3>
      {data.length > shownPeople && (
        <Input
          aria-label="Find a member"
          placeholder="Find a member"
          value={search}
          onChange={(event) => setSearch(event.target.value)}
          className="mt-1"
        />
      )}
      <ul className="mt-1 space-y-1.5">
        {found.slice(0, shownPeople).map((reader) => (
          <li key={reader.email} className="flex gap-2">
            {reader.readable ? (
              <Check aria-label="May read it" className="mt-0.5 size-4 shrink-0 text-ready" />
            ) : (
              <Minus aria-label="May not read it" className="mt-0.5 size-4 shrink-0 text-muted" />
            )}
            <span className="min-w-0">
              <span className="block truncate">{reader.email}</span>
              <span className="block text-xs text-muted">{explain(reader)}</span>
            </span>
          </li>
        ))}
      </ul>
      {found.length > shownPeople && (
        <p className="mt-1 text-xs text-muted">And {found.length - shownPeople} more: search by address.</p>
      )}
      {found.length === 0 && <p className="mt-1 text-xs text-muted">No member's address contains that.</p>}
    </section>
  );
}

/** "through Finance, which holds Clerks, as Ann Lee": the way from what decides to the account. */
function explain({ readable, by, path }: Reader): string {
  if (by === null) return "Nothing admits them.";
  const verb = readable ? "Admitted" : "Denied";
  const [account] = path.slice(-1);
  const groups = path.slice(0, -1);
  if (account === undefined) return `${verb} as ${describePrincipal(by).toLowerCase()}.`;
  if (groups.length === 0) return `${verb} by name, as ${account}.`;
  return `${verb} through ${groups.join(", which holds ")}, as ${account}.`;
}

function PrincipalList({ title, principals }: { title: string; principals: Principal[] }) {
  if (principals.length === 0) return null;
  return (
    <div>
      <h3 className="text-xs text-muted">{title}</h3>
      <ul className="mt-1 space-y-1">
        {principals.map((principal) => (
          <li key={JSON.stringify(principal)} className="flex items-center justify-between gap-2">
            <span className="truncate">{describePrincipal(principal)}</span>
            <Badge>{principal.source === "anneal" ? "workspace" : principal.source}</Badge>
          </li>
        ))}
      </ul>
    </div>
  );
}

function describePrincipal({ source, kind, id }: Principal): string {
  if (kind === "public") return "Everyone";
  if (source === "anneal" && kind === "domain") return "Everyone in this workspace";
  return `${kind} ${id}`;
}
