import { redirect } from "next/navigation";
import { NoWorkspace } from "#features/access/no-workspace.tsx";
import { workspacePath } from "#lib/workspace-path.ts";
import { getMemberships, getSessionUser } from "#server/auth/session.ts";

export default async function RootPage() {
  const user = await getSessionUser();
  if (!user) redirect("/sign-in");
  const [first] = await getMemberships(user.userId);
  if (first) redirect(workspacePath(first.workspaceSlug, "/"));
  return <NoWorkspace email={user.email} />;
}
