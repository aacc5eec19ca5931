"use client";

import { KeyRound } from "lucide-react";
import Link from "next/link";
import { Button } from "#components/ui/button.tsx";
import { CodeSnippet, CodeTabs } from "#components/ui/code-snippet.tsx";
import { openAiSnippets } from "#features/assistants/openai-snippets.ts";
import { useWorkspace } from "#lib/workspace.tsx";

/** Rendered only after somebody asked for it, so that the browser's own origin is known. */
export function ApiSnippet({ model }: { model: string }) {
  const { href } = useWorkspace();
  const baseUrl = `${window.location.origin}/api/v1`;
  return (
    <div className="space-y-5">
      <section>
        <h3 className="mb-1.5 text-xs text-muted">Base URL</h3>
        <CodeSnippet code={baseUrl} label="Copy the base URL" />
      </section>
      <section>
        <h3 className="mb-1.5 text-xs text-muted">A question</h3>
        <CodeTabs snippets={openAiSnippets({ baseUrl, model, question: "How long is the warranty?" })} />
      </section>
      <p className="text-13 text-muted">
        A key acts as whoever made it: it finds only what that person may read. The answer's{" "}
        <code className="font-mono text-xs">anneal</code> field has its outcome and citations.
      </p>
      <Button asChild size="small">
        <Link href={href("/access?tab=keys")}>
          <KeyRound aria-hidden /> Make a key
        </Link>
      </Button>
    </div>
  );
}
