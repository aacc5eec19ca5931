import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

type EmptyStateProps = {
  icon: LucideIcon;
  title: string;
  /** What this place is for, in a sentence or two. */
  children: ReactNode;
  /** The one next step. */
  action?: ReactNode;
};

export function EmptyState({ icon: Icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center rounded-panel border border-dashed border-line-strong px-6 py-14 text-center">
      <Icon aria-hidden className="mb-3 size-6 text-faint" strokeWidth={1.5} />
      <h2 className="text-sm font-semibold">{title}</h2>
      <div className="mt-1 max-w-[52ch] text-13 text-pretty text-muted">{children}</div>
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
