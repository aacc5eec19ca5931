import { DoorClosed } from "lucide-react";
import { EmptyState } from "#components/ui/empty-state.tsx";

export function NoWorkspace({ email }: { email: string }) {
  return (
    <main className="mx-auto max-w-2xl p-6 pt-24">
      <EmptyState icon={DoorClosed} title="You are signed in, but not a member of a workspace yet">
        Ask an administrator to add <strong className="font-medium text-ink">{email}</strong> on the Access page of the
        workspace, then reload this page.
      </EmptyState>
    </main>
  );
}
