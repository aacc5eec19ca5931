import { Compass } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { EmptyState } from "#components/ui/empty-state.tsx";

export default function NotFound() {
  return (
    <main className="mx-auto max-w-2xl p-6 pt-24">
      <EmptyState
        icon={Compass}
        title="There is nothing here"
        action={
          <Button asChild variant="primary">
            <Link href="/">Go to your workspace</Link>
          </Button>
        }
      >
        The page does not exist, or it belongs to a workspace that you are not a member of.
      </EmptyState>
    </main>
  );
}
