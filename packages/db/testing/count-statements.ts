import { openDatabase, type Database } from "../src/database.ts";

export type StatementCounter = {
  /** Whatever is asked here is counted. */
  db: Database;
  /** How many statements `work` sends. */
  count(work: () => Promise<unknown>): Promise<number>;
  close(): Promise<void>;
};

/** @param url as of a test database */
export function countStatements(url: string): StatementCounter {
  const { db, pool, close } = openDatabase(url, { maxConnections: 1 });
  let statements = 0;
  pool.on("connect", (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    client.query = ((...args: unknown[]) => {
      statements += 1;
      return query(...args);
    }) as typeof client.query;
  });
  return {
    db,
    async count(work) {
      statements = 0;
      await work();
      return statements;
    },
    close,
  };
}
