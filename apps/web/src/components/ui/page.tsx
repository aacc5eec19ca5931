import { ChevronRight } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";

type PageProps = {
  title: ReactNode;
  /** One line under the title: what this is, or the state it is in. */
  description?: ReactNode;
  /** The way back up, for pages of one thing. */
  parent?: { label: string; href: string };
  actions?: ReactNode;
  children: ReactNode;
};

/** The frame of every page: one h1, what can be done here at the right, then content. */
export function Page({ title, description, parent, actions, children }: PageProps) {
  return (
    <div className="mx-auto w-full max-w-[100rem] px-4 pt-5 pb-16 sm:px-6">
      <header className="mb-5 flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 max-w-full">
          {parent && (
            <nav aria-label="Breadcrumb" className="mb-1 flex items-center gap-1 text-xs text-muted">
              <Link href={parent.href} className="hover:text-ink hover:underline">
                {parent.label}
              </Link>
              <ChevronRight aria-hidden className="size-3" />
            </nav>
          )}
          <h1 className="text-xl leading-7 font-semibold tracking-tight break-words">{title}</h1>
          {description && <div className="mt-0.5 max-w-[80ch] text-13 text-muted">{description}</div>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
