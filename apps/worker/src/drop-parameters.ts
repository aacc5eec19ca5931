import { withoutParameters } from "@anneal/core/query-parameters";

/**
 * An unforeseen error goes into Temporal's history with its stack and its causes, and into the log with all that it
 * holds. In place, so that it keeps its class, by which Temporal treats it.
 */
export function dropParameters(error: unknown, dropped = new Set<Error>()): void {
  if (!(error instanceof Error) || dropped.has(error)) return;
  dropped.add(error);
  const { message, stack } = withoutParameters(error);
  if (message !== error.message) Object.assign(error, { message, stack });
  // Drizzle's, and what PostgreSQL says of the row and of the value.
  for (const property of ["params", "detail", "where"]) Reflect.deleteProperty(error, property);
  for (const inner of error instanceof AggregateError ? error.errors : []) dropParameters(inner, dropped);
  dropParameters(error.cause, dropped);
}
