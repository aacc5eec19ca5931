import { headers } from "next/headers";
import { notFound, redirect } from "next/navigation";
import type { ReactNode } from "react";
import { WorkspaceQueries } from "#components/shell/providers.tsx";
import { Shell } from "#components/shell/shell.tsx";
import { Prefetch } from "#lib/trpc-server.tsx";
import { WorkspaceProvider } from "#lib/workspace.tsx";
import { getMemberships, getSessionUser } from "#server/auth/session.ts";

type LayoutProps = { params: Promise<{ workspace: string }>; children: ReactNode };

/** Signed in and a member, or no page. The procedures behind the pages check again, each by itself. */
export default async function WorkspaceLayout({ params, children }: LayoutProps) {
  const renderedAt = Date.now();
  const { workspace } = await params;
  const user = await getSessionUser();
  if (!user) redirect(`/sign-in?next=${encodeURIComponent((await headers()).get("x-path") ?? "/")}`);
  const memberships = await getMemberships(user.userId);
  const membership = memberships.find((each) => each.workspaceSlug === workspace);
  if (!membership) notFound();
  const facts = {
    slug: workspace,
    name: membership.workspaceName,
    role: membership.role,
    user,
    workspaces: memberships.map((each) => ({ slug: each.workspaceSlug, name: each.workspaceName })),
  };
  return (
    <WorkspaceProvider facts={facts}>
      <WorkspaceQueries key={workspace} slug={workspace}>
        <Prefetch workspace={workspace} queries={(trpc) => [trpc.work.active.queryOptions()]}>
          <Shell renderedAt={renderedAt}>{children}</Shell>
        </Prefetch>
      </WorkspaceQueries>
    </WorkspaceProvider>
  );
}
