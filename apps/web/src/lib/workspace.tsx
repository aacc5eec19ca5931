"use client";

import type { Role } from "@anneal/core/access/roles";
import { createContext, use, useMemo, type ReactNode } from "react";
import { workspacePath } from "#lib/workspace-path.ts";

type WorkspaceFacts = {
  slug: string;
  name: string;
  role: Role;
  user: { userId: string; name: string; email: string };
  workspaces: readonly { slug: string; name: string }[];
};

type Workspace = WorkspaceFacts & {
  /** "/documents" -> "/w/acme/documents": every link inside the portal goes through this. */
  href(path: string): string;
};

const WorkspaceContext = createContext<Workspace | null>(null);

export function WorkspaceProvider({ facts, children }: { facts: WorkspaceFacts; children: ReactNode }) {
  const value = useMemo(() => ({ ...facts, href: (path: string) => workspacePath(facts.slug, path) }), [facts]);
  return <WorkspaceContext value={value}>{children}</WorkspaceContext>;
}

export function useWorkspace(): Workspace {
  const workspace = use(WorkspaceContext);
  if (!workspace) throw new Error("useWorkspace is used outside of a workspace's pages.");
  return workspace;
}
