import { choice } from "../choice.ts";

/** How the connection to a database is kept from others, as PostgreSQL and MySQL call it. */
export const databaseTls = choice({
  prefer: "Where the server has it",
  require: "Always",
  verify: "Always, and its certificate is checked",
  disable: "Never",
})
  .default("prefer")
  .meta({ title: "TLS" });
