"use client";

import { useQuery } from "@tanstack/react-query";
import { Building2, Check, Globe, Minus, User, Users, type LucideIcon } from "lucide-react";
import { useState } from "react";
import { Badge } from "#components/ui/badge.tsx";
import { ErrorState } from "#components/ui/error-state.tsx";
import { Input } from "#components/ui/input.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import type { DocumentView } from "#features/documents/document-page.tsx";
import { ChangeReaders } from "#features/documents/change-readers.tsx";
import { explainAudience } from "#features/documents/explain-audience.ts";
import { explainReader, explainRefusal } from "#features/documents/explain-reader.ts";
import { formatNumber } from "#lib/format.ts";
import { useTRPC } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";
import { useWorkspace } from "#lib/workspace.tsx";

const shownPeople = 8;

type ReadDocument = Pick<DocumentView, "id" | "readers" | "aclInherited" | "refusal" | "source">;

/** The document's audience as its source gives it and, for administrators, where from and what it means for each member. */
export function DocumentReaders({ document }: { document: ReadDocument }) {
  const { role } = useWorkspace();
  const { readers, refusal } = document;
  const origin = explainAudience(document);
  return (
    <div className="space-y-2 text-13">
      {readers.allow.length > 0 && (
        <p className="text-muted">{refusal === null ? "You may: one of these admits you." : explainRefusal(refusal)}</p>
      )}
      {origin && <p>{origin}</p>}
      <ChangeReaders document={document} />
      <ReaderList title="Allowed" readers={readers.allow} />
      <ReaderList title="Denied, whatever else allows them" readers={readers.deny} />
      {readers.closed.map(({ container, to }, index) => (
        <ReaderList
          key={index}
          title={`Allowed by its own permissions, but not let through by ${container}`}
          readers={to}
        />
      ))}
      {role === "admin" && <Members documentId={document.id} />}
    </div>
  );
}

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
              <span className="block text-xs text-muted">{explainReader(reader)}</span>
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

type Reader = DocumentView["readers"]["allow"][number];

const looks: Record<Reader["kind"], { icon: LucideIcon; word: string }> = {
  user: { icon: User, word: "Person" },
  group: { icon: Users, word: "Group" },
  domain: { icon: Building2, word: "Organization" },
  public: { icon: Globe, word: "Everyone" },
};

function ReaderList({ title, readers }: { title: string; readers: Reader[] }) {
  if (readers.length === 0) return null;
  return (
    <div>
      <h3 className="text-xs break-words text-muted">{title}</h3>
      <ul className="mt-1 space-y-1">
        {readers.map((reader, index) => {
          const { icon: Icon, word } = looks[reader.kind];
          return (
            <li key={index} className="flex items-start gap-2">
              <Icon aria-label={word} className="mt-0.5 size-4 shrink-0 text-muted" strokeWidth={1.75} />
              <span className="min-w-0 flex-1">
                <Name reader={reader} />
                <Origin container={reader.inheritedFrom} />
              </span>
              <Badge>{reader.source === "anneal" ? "workspace" : reader.source}</Badge>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** The id that it stands for is there for administrators, who compare it with the source. */
function Name({ reader: { words, count, principal } }: { reader: Reader }) {
  const named = count === 1 ? words : `${words} (${formatNumber(count)} of them)`;
  // Of one without a name the id is among the words.
  const says = principal === null || (words.includes(principal.id) && principal.tenant === "");
  if (says || principal.source === "anneal") return <span className="block break-words">{named}</span>;
  return (
    <details>
      <summary className="cursor-pointer break-words" title={principal.id}>
        {named}
      </summary>
      <span className="block font-mono text-2xs break-all text-muted">
        {principal.id}
        {principal.tenant !== "" && ` in ${principal.tenant}`}
      </span>
    </details>
  );
}

function Origin({ container }: { container: string | null }) {
  if (container === null) return null;
  return <span className="block text-xs break-words text-muted">Inherited from {container}</span>;
}
