import { openDatabase, type Database, type DatabaseHandle } from "@anneal/db/database";
import { env } from "#env.ts";

// Next loads a module once per bundle; the pool is one per process.
const shared = globalThis as typeof globalThis & { annealDatabase?: DatabaseHandle };

export function database(): Database {
  shared.annealDatabase ??= openDatabase(env().ANNEAL_DATABASE_URL);
  return shared.annealDatabase.db;
}
