import type { QueryClient, QueryKey } from "@tanstack/react-query";

/**
 * Has asked again what a change made old. Left to itself the query client does not do so for a query whose first answer
 * is still on its way, and that answer may be older than the change: such a query is asked again once it has it.
 * @param queryKey what the keys of the queries begin with; left out: all
 */
export function refreshQueries(client: QueryClient, queryKey: QueryKey = []): void {
  const unanswered = client
    .getQueryCache()
    .findAll({ queryKey, predicate: ({ state }) => state.data === undefined && state.fetchStatus !== "idle" });
  void client.invalidateQueries({ queryKey });
  for (const query of unanswered) {
    const only = { queryKey: query.queryKey, exact: true };
    // Waits for the answer that is on its way.
    void client.refetchQueries({ ...only, type: "all" }).then(() => client.invalidateQueries(only));
  }
}
