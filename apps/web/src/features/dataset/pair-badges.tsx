import { Badge } from "#components/ui/badge.tsx";
import type { Answers } from "#lib/trpc.ts";

export type Pair = Answers["dataset"]["pairs"]["rows"][number];

/** Which split a pair went to, or that it was dropped, and who wrote it. */
export function PairBadges({ pair }: { pair: Pair }) {
  return (
    <>
      {pair.drop ? (
        <Badge className="bg-waiting/12 text-waiting dark:bg-waiting/12">dropped</Badge>
      ) : (
        <Badge tone={pair.split === "eval" ? "accent" : "neutral"}>
          {pair.split === "eval" ? "evaluation" : "training"}
        </Badge>
      )}
      <Badge>{pair.origin}</Badge>
    </>
  );
}
