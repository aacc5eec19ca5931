import { createRoutingTable, type RoutingTable } from "#server/gateway/routing-table.ts";
import { database } from "#server/database.ts";
import { env } from "#env.ts";

const shared = globalThis as typeof globalThis & { annealRouting?: RoutingTable };

/** One routing table for the process, whichever bundle asks. */
export function routingTable(): RoutingTable {
  shared.annealRouting ??= createRoutingTable({ db: database(), databaseUrl: env().ANNEAL_DATABASE_URL });
  return shared.annealRouting;
}
