import { withheldSentence } from "@anneal/core/deploy/withheld-sentence";
import type { Answers } from "#lib/trpc.ts";

type Withheld = Answers["deploy"]["get"]["withheld"][number];

/** Told to administrators only: the list is empty for everybody else. */
export function WithheldNotice({ withheld }: { withheld: readonly Withheld[] }) {
  if (withheld.length === 0) return null;
  return (
    <ul className="mb-4 space-y-1 rounded-panel border border-waiting/40 bg-waiting/8 px-3 py-2 text-13">
      {withheld.map((each) => (
        <li key={`${each.adapterId} ${each.version}`}>{withheldSentence(each)}</li>
      ))}
    </ul>
  );
}
