import { NoStatus, Status } from "#components/ui/status.tsx";
import type { Answers } from "#lib/trpc.ts";

type Serving = Answers["deploy"]["get"]["versions"][number]["serving"];

/** Whether a version is in the engines' memory, and on how many of those that are ready. */
export function ServingStatus({ serving }: { serving: Serving }) {
  const failed = serving.replicas.find((replica) => replica.observed === "failed");
  const of = `${serving.resident} of ${serving.ready}`;
  if (failed && serving.resident < serving.ready)
    return (
      <span title={failed.error ?? undefined}>
        <Status kind="failed" word={`On ${of} engines`} />
      </span>
    );
  if (serving.ready > 0 && serving.resident === serving.ready)
    return <Status kind="ready" word={serving.ready === 1 ? "Serving" : `Serving on ${serving.ready}`} />;
  if (serving.replicas.some((replica) => replica.observed === "loading"))
    return <Status kind="running" word="Loading" />;
  if (serving.resident > 0) return <Status kind="waiting" word={`On ${of} engines`} />;
  return <NoStatus word="Not loaded" />;
}

/** For an alias, which should be served: not being in memory is a state to look at. */
export function AliasStatus({ serving }: { serving: Serving }) {
  if (serving.ready === 0) return <Status kind="waiting" word="No engine ready" />;
  if (
    serving.resident === 0 &&
    !serving.replicas.some((replica) => replica.observed === "loading" || replica.observed === "failed")
  )
    return <Status kind="waiting" word="To be loaded" />;
  return <ServingStatus serving={serving} />;
}
