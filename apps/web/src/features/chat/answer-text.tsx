"use client";

import Markdown from "react-markdown";
import remarkGfm from "remark-gfm";
import { linkCitations } from "#features/chat/link-citations.ts";
import { cn } from "#lib/class-names.ts";

type Citable = { number: number; title: string };

type AnswerTextProps<Citation extends Citable> = {
  text: string;
  citations: readonly Citation[];
  /** The number whose passage is open. */
  open: number | null;
  onOpen(citation: Citation): void;
};

const proseStyles =
  "max-w-[70ch] space-y-3 text-[0.9375rem] leading-6 break-words [&_code]:rounded-[3px] [&_code]:bg-sunken [&_code]:px-1 [&_code]:font-mono [&_code]:text-[0.85em] [&_h1]:font-semibold [&_h2]:font-semibold [&_h3]:font-semibold [&_li]:mt-1 [&_ol]:list-decimal [&_ol]:pl-5 [&_pre]:overflow-x-auto [&_pre]:rounded-control [&_pre]:bg-sunken [&_pre]:p-3 [&_table]:block [&_table]:overflow-x-auto [&_table]:text-13 [&_td]:border-t [&_td]:border-line [&_td]:px-2 [&_td]:py-1 [&_th]:px-2 [&_th]:py-1 [&_th]:text-left [&_th]:font-medium [&_ul]:list-disc [&_ul]:pl-5";

/**
 * Markdown without raw HTML. An answer may quote whatever somebody wrote into a document, so nothing in it loads
 * anything or leads anywhere: images are left out and links stay text. Marks such as [1] become buttons.
 */
export function AnswerText<Citation extends Citable>({ text, citations, open, onOpen }: AnswerTextProps<Citation>) {
  return (
    <div className={proseStyles}>
      <Markdown
        remarkPlugins={[remarkGfm]}
        rehypePlugins={[[linkCitations, citations.map((citation) => citation.number)]]}
        disallowedElements={["img", "input"]}
        components={{
          a: ({ children }) => <span>{children}</span>,
          // Only `linkCitations` makes these: Markdown has no <cite>, and raw HTML stays text.
          cite: ({ children }) => {
            const citation = citations.find((each) => String(each.number) === children);
            if (!citation) return null;
            return (
              <button
                type="button"
                aria-label={`Citation ${citation.number}: ${citation.title}`}
                aria-pressed={open === citation.number}
                title={citation.title}
                onClick={() => onOpen(citation)}
                className={cn(
                  "tabular mx-0.5 inline-grid h-[1.125rem] min-w-[1.125rem] place-items-center rounded-[4px] px-1 align-[0.1em] text-2xs font-semibold",
                  open === citation.number
                    ? "bg-accent text-on-accent"
                    : "bg-accent-soft text-accent hover:bg-accent hover:text-on-accent",
                )}
              >
                {citation.number}
              </button>
            );
          },
        }}
      >
        {text}
      </Markdown>
    </div>
  );
}
