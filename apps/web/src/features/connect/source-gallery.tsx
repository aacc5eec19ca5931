"use client";

import { useQuery } from "@tanstack/react-query";
import {
  BookOpen,
  Braces,
  Cloud,
  Database,
  Folder,
  FolderLock,
  Globe,
  HardDrive,
  Hash,
  Mail,
  MessagesSquare,
  NotebookText,
  Package,
  Plug,
  SquareCheckBig,
  Waypoints,
  type LucideIcon,
} from "lucide-react";
import { useState, type FormEvent } from "react";
import { ErrorState } from "#components/ui/error-state.tsx";
import { SearchInput } from "#components/ui/search-input.tsx";
import { SkeletonRows } from "#components/ui/skeleton.tsx";
import { findKinds } from "#features/connect/find-kinds.ts";
import { useTRPC, type Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";
import { useWorkspace } from "#lib/workspace.tsx";

export type SourceKind = Answers["connect"]["kinds"][number];

const groups = [
  "Files and storage",
  "Documents and wikis",
  "Mail and chat",
  "Databases",
  "Web and APIs",
  "Other",
] as const;
type Look = { icon: LucideIcon; group: (typeof groups)[number] };

const files = (icon: LucideIcon): Look => ({ icon, group: "Files and storage" });
const wiki = (icon: LucideIcon): Look => ({ icon, group: "Documents and wikis" });
const mail = (icon: LucideIcon): Look => ({ icon, group: "Mail and chat" });
const database: Look = { icon: Database, group: "Databases" };
const web = (icon: LucideIcon): Look => ({ icon, group: "Web and APIs" });

const looks: Record<string, Look> = {
  file: files(Folder),
  s3: files(Package),
  "azure-blob": files(Package),
  gcs: files(Package),
  sftp: files(FolderLock),
  smb: files(HardDrive),
  sharepoint: wiki(Cloud),
  onedrive: wiki(Cloud),
  gdrive: wiki(Cloud),
  confluence: wiki(BookOpen),
  notion: wiki(NotebookText),
  jira: wiki(SquareCheckBig),
  imap: mail(Mail),
  slack: mail(Hash),
  teams: mail(MessagesSquare),
  postgres: database,
  mysql: database,
  mssql: database,
  mongodb: database,
  web: web(Globe),
  rest: web(Braces),
  graphql: web(Waypoints),
};
const unknown: Look = { icon: Plug, group: "Other" };
const lookOf = (kind: string): Look => looks[kind] ?? unknown;

const searchField = "kind";

/** Every kind of source, by what it holds; a word narrows them down, and Enter chooses the one that is left. */
export function SourceGallery({ onChoose }: { onChoose(kind: SourceKind): void }) {
  const trpc = useTRPC();
  const { role } = useWorkspace();
  const { data, error, refetch } = useQuery(trpc.connect.kinds.queryOptions());
  const [search, setSearch] = useState("");
  if (error) return <ErrorState error={wireErrorOf(error)} onRetry={() => void refetch()} />;
  if (!data) return <SkeletonRows rows={6} />;
  const find = (text: string) => findKinds(data, text, ({ kind }) => lookOf(kind).group);
  const found = find(search);
  const shown = groups
    .map((group) => ({ group, kinds: found.filter(({ kind }) => lookOf(kind).group === group) }))
    .filter(({ kinds }) => kinds.length > 0);

  function chooseOnlyOne(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    // What stands in the field: the search follows it after a pause.
    const [only, ...others] = find(String(new FormData(event.currentTarget).get(searchField)));
    if (only && others.length === 0 && !isForbidden(only, role)) onChoose(only);
  }

  return (
    <div className="space-y-5 px-0.5 pt-1">
      <form role="search" onSubmit={chooseOnlyOne}>
        <SearchInput
          name={searchField}
          label="Find a kind of source"
          placeholder="SharePoint, MariaDB, mail …"
          value={search}
          onChange={setSearch}
          autoFocus
          className="sm:w-full"
        />
      </form>
      {shown.map(({ group, kinds }) => (
        <section key={group} aria-label={group}>
          <h3 className="mb-2 text-xs font-medium text-muted">{group}</h3>
          <ul className="grid gap-2 sm:grid-cols-2">
            {kinds.map((kind) => (
              <KindCard key={kind.kind} kind={kind} onChoose={onChoose} />
            ))}
          </ul>
        </section>
      ))}
      {shown.length === 0 && (
        <p className="text-13 text-muted">
          No kind is called that. A web service can be read as REST or GraphQL, and{" "}
          <code className="font-mono text-xs">anneal connect new</code> writes a connector of your own.
        </p>
      )}
    </div>
  );
}

function isForbidden(kind: SourceKind, role: string): boolean {
  return kind.administratorOnly && role !== "admin";
}

function KindCard({ kind, onChoose }: { kind: SourceKind; onChoose(kind: SourceKind): void }) {
  const { role } = useWorkspace();
  const { icon: Icon } = lookOf(kind.kind);
  const forbidden = isForbidden(kind, role);
  return (
    <li>
      <button
        type="button"
        disabled={forbidden}
        onClick={() => onChoose(kind)}
        className="flex size-full items-start gap-3 rounded-panel border border-line p-3 text-left hover:border-line-strong hover:bg-hover disabled:opacity-60"
      >
        <Icon aria-hidden className="mt-0.5 size-5 shrink-0 text-accent" strokeWidth={1.5} />
        <span className="min-w-0">
          <span className="block text-13 font-medium">{kind.title}</span>
          <span className="block text-xs text-muted">
            {forbidden ? "An administrator can add this kind: it reads the worker's own machine." : kind.description}
          </span>
        </span>
      </button>
    </li>
  );
}
