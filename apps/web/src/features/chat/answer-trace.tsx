"use client";

import { ChevronRight } from "lucide-react";
import { KeyValues } from "#components/ui/key-values.tsx";
import { sectionName } from "#features/chat/section-name.ts";
import { formatCount, formatDuration, formatNumber } from "#lib/format.ts";
import type { AnswerTrace } from "#server/chat/answer-question.ts";

type Trace = AnswerTrace & { unsupported?: readonly string[] };
type Usage = { promptTokens: number | null; completionTokens: number | null };

/** How an answer came to be, for whoever wants to know; closed until asked for. */
export function AnswerTraceView({ trace, usage }: { trace: Trace; usage: Usage | null }) {
  const used = formatCount(trace.used.length, "passage");
  return (
    <details className="group/trace text-xs text-muted">
      <summary className="inline-flex cursor-pointer list-none items-center gap-1 rounded-control hover:text-ink [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-3.5 transition-transform group-open/trace:rotate-90" />
        <span className="tabular">
          {formatNumber(trace.found)} found, {formatNumber(trace.forbidden)} held back, {used} used ·{" "}
          {formatDuration(trace.totalMs)}
        </span>
      </summary>
      <div className="mt-2 max-w-[70ch] space-y-4 rounded-panel border border-line bg-panel p-3">
        <KeyValues
          className="gap-y-1 text-xs"
          items={[
            { label: "Searched for", value: trace.searchedFor },
            { label: "Found", value: formatCount(trace.found, "passage") },
            {
              label: "Held back",
              value:
                trace.forbidden === 0
                  ? "None: you may read every one of them."
                  : `${formatCount(trace.forbidden, "passage")} of documents that you may not read`,
            },
            { label: "Question embedded in", value: formatDuration(trace.embedMs) },
            { label: "Searched in", value: formatDuration(trace.searchMs) },
            {
              label: "First word after",
              value: trace.firstTokenMs === null ? "No model was asked." : formatDuration(trace.firstTokenMs),
            },
            { label: "Whole answer", value: formatDuration(trace.totalMs) },
            ...(usage && usage.promptTokens !== null
              ? [
                  {
                    label: "Tokens",
                    value: `${formatNumber(usage.promptTokens)} read, ${formatNumber(usage.completionTokens)} written`,
                  },
                ]
              : []),
            ...(trace.servingName === null
              ? []
              : [{ label: "Model", value: <span className="font-mono break-all">{trace.servingName}</span> }]),
          ]}
        />
        {trace.used.length > 0 && (
          <table className="tabular w-full">
            <caption className="mb-1 text-left font-medium text-ink">Passages used, best first</caption>
            <thead className="sr-only">
              <tr>
                <th scope="col">Passage</th>
                <th scope="col">Cosine</th>
              </tr>
            </thead>
            <tbody>
              {trace.used.map(({ title, section, cosine }, index) => (
                <tr key={index}>
                  <td className="border-t border-line py-1 pr-3">
                    <span className="text-ink">{title}</span>
                    <span className="block text-faint">{sectionName(title, section)}</span>
                  </td>
                  <td
                    className="border-t border-line py-1 text-right align-top whitespace-nowrap"
                    title="Cosine of the question's and the passage's embeddings; words alone found those without one."
                  >
                    {cosine === null ? "by words" : formatNumber(cosine, 2)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {trace.unsupported && trace.unsupported.length > 0 && (
          <div>
            <h4 className="mb-1 font-medium text-ink">Left out, because no passage supports it</h4>
            <ul className="list-disc space-y-1 pl-4">
              {trace.unsupported.map((sentence) => (
                <li key={sentence}>{sentence}</li>
              ))}
            </ul>
          </div>
        )}
        {trace.draft.trim() !== "" && (
          <div>
            <h4 className="mb-1 font-medium text-ink">The model's own words, unchecked</h4>
            <p className="whitespace-pre-wrap">{trace.draft.trim()}</p>
          </div>
        )}
      </div>
    </details>
  );
}
