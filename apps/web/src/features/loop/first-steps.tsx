"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import { Button } from "#components/ui/button.tsx";
import { Page } from "#components/ui/page.tsx";
import { StatusIcon, type StatusKind } from "#components/ui/status.tsx";
import type { RunView } from "#features/loop/loop-picture.tsx";
import { StartRun } from "#features/loop/start-run.tsx";
import { useWorkspace } from "#lib/workspace.tsx";
import { cn } from "#lib/class-names.ts";

type FirstStepsProps = {
  sourceCount: number;
  /** What the first run does. */
  defaults: RunView["settings"];
};

/** An empty workspace: three steps to the first answer, one of which is next. */
export function FirstSteps({ sourceCount, defaults }: FirstStepsProps) {
  const { href, name } = useWorkspace();
  const connected = sourceCount > 0;
  return (
    <Page title={name} description="From your documents to answers from your own model, in three steps.">
      <ol className="grid max-w-5xl gap-4 md:grid-cols-3">
        <StepCard
          number={1}
          title="Connect a source"
          kind={connected ? "ready" : "running"}
          action={
            <Button asChild variant={connected ? "secondary" : "primary"}>
              <Link href={href("/sources?add=1")}>{connected ? "Add another" : "Add a source"}</Link>
            </Button>
          }
        >
          A file share, a mailbox, a wiki, a database, a website and more. Who may read a document there decides who may
          read it here.
        </StepCard>
        <StepCard
          number={2}
          title="Run the loop"
          kind="waiting"
          action={connected && <StartRun scope={{ settings: defaults, sources: null }} label="Run the loop" />}
        >
          Documents are cleaned and deduplicated, questions and answers are made from them, and a small adapter is
          trained and served on your machine.
        </StepCard>
        <StepCard number={3} title="Ask" kind="waiting">
          Every answer names the passage it comes from. When there is none, it says so.
        </StepCard>
      </ol>
    </Page>
  );
}

type StepCardProps = { number: number; title: string; kind: StatusKind; action?: ReactNode; children: ReactNode };

function StepCard({ number, title, kind, action, children }: StepCardProps) {
  return (
    <li className="flex flex-col rounded-panel border border-line bg-panel p-5">
      <span className="mb-3 flex items-center justify-between">
        <span className="tabular grid size-6 place-items-center rounded-full bg-accent-soft text-xs font-semibold text-accent">
          {number}
        </span>
        {kind === "ready" && <StatusIcon kind="ready" />}
      </span>
      <h2 className="text-sm font-semibold">{title}</h2>
      <p className={cn("mt-1 flex-1 text-13 text-muted", action && "mb-5")}>{children}</p>
      {action && <div>{action}</div>}
    </li>
  );
}
