"use client";

import { CodeSnippet } from "#components/ui/code-snippet.tsx";
import { Dialog, SheetContent } from "#components/ui/dialog.tsx";
import { Digest } from "#components/ui/digest.tsx";
import { ErrorNotice } from "#components/ui/error-state.tsx";
import { Status } from "#components/ui/status.tsx";
import { verifyScript } from "#features/audit/verify-script.ts";
import { formatCount, formatNumber } from "#lib/format.ts";
import type { Answers } from "#lib/trpc.ts";
import { wireErrorOf } from "#lib/wire-error.ts";

type Verification = { data: Answers["audit"]["verify"] | undefined; error: unknown; isPending: boolean };
type VerifyProps = { open: boolean; onOpenChange(open: boolean): void; verification: Verification };

export function VerifyAudit({ open, onOpenChange, verification }: VerifyProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <SheetContent
        title="Is the record whole?"
        description="Every hash is computed again from the events as they are now."
      >
        <div className="space-y-6">
          <div role="status">
            <Verdict verification={verification} />
          </div>
          <section className="space-y-2">
            <h3 className="text-13 font-semibold">Verify it without us</h3>
            <p className="text-13 text-muted">
              The server that keeps the record also says that it is whole. To rely on neither, take the export and run
              this with Node:
            </p>
            <CodeSnippet label="Copy the command" code="node verify-audit.mjs anneal-audit-….jsonl" />
            <CodeSnippet label="Copy the script" code={verifyScript} />
            <p className="text-xs text-muted">
              Keep the last hash of each export somewhere else: a record that was rewritten from the start on has
              another one.
            </p>
          </section>
        </div>
      </SheetContent>
    </Dialog>
  );
}

function Verdict({ verification: { data, error, isPending } }: { verification: Verification }) {
  if (isPending) return <Status kind="running" word="Computing every hash" />;
  if (error) return <ErrorNotice error={wireErrorOf(error)} />;
  if (!data) return null;
  if (data.broken)
    return (
      <div className="space-y-1">
        <Status kind="failed" word={`Broken at event ${formatNumber(data.broken.position)}`} />
        <p className="text-13 text-muted">
          “{data.broken.action}” of {data.broken.at} does not follow from the event before it: it, or what stood before
          it, was changed, removed or added outside of Anneal. Compare it with your last export.
        </p>
      </div>
    );
  return (
    <div className="space-y-1">
      <Status kind="ready" word={`Whole: ${formatCount(data.events, "event")}`} />
      {data.head && (
        <p className="text-13 text-muted">
          Last hash <Digest value={data.head} length={16} />
        </p>
      )}
    </div>
  );
}
