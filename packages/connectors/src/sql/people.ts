import type { DirectoryEntry } from "@anneal/core/connect/directory";
import { AnnealError } from "@anneal/core/errors";
import type { DirectoryRequest } from "../connector.ts";
import type { SqlConfig, SqlSecrets } from "./config.ts";
import type { Dialect, Relation, SqlSession } from "./dialect.ts";
import { openSession } from "./open-session.ts";
import { ownerPrincipal } from "./row-change.ts";
import { refuseWritableUser } from "./writable-user.ts";

const queryName = "people";

/** Whom the owner columns' ids stand for; a person with two addresses has two rows. */
export async function* readPeople<Session extends SqlSession>(
  dialect: Dialect<Session>,
  { config, secrets, context }: DirectoryRequest<SqlConfig, SqlSecrets>,
): AsyncIterable<DirectoryEntry> {
  if (config.peopleQuery === null) return;
  const session = await openSession(dialect, config, secrets, context);
  try {
    await refuseWritableUser(dialect, session, config);
    const relation = await resolvePeople(dialect, session, config.peopleQuery);
    const [idColumn] = relation.columns;
    const [id, email] = relation.columns.map((column) => dialect.toText(`q.${dialect.quote(column.name)}`, column));
    const emailsById = new Map<string, string[]>();
    const select = `${relation.prelude}SELECT ${id} AS c0, ${email} AS c1 FROM ${relation.from}`;
    for await (const rows of session.stream(select, [], queryName)) {
      for (const [person, padded] of rows) {
        // A column of char(n) may be filled up with spaces, in the address as well.
        const address = padded?.trim();
        if (!person || !address || idColumn === undefined) continue;
        // Read as owners are, so that an id is the same in both. One that reads as a list of others is none of them.
        const owner = dialect.readOwners(idColumn, person).find((one) => one === person || one === person.trim());
        if (owner !== undefined) emailsById.set(owner, [...(emailsById.get(owner) ?? []), address]);
      }
    }
    for (const [person, emails] of emailsById) {
      yield {
        type: "user",
        principal: ownerPrincipal(dialect.kind, config, person),
        name: emails[0] ?? person,
        emails,
      };
    }
  } finally {
    await session.close();
  }
}

/** @throws AnnealError INVALID_INPUT for a query that does not give two columns of different names */
export async function resolvePeople<Session extends SqlSession>(
  dialect: Dialect<Session>,
  session: Session,
  sql: string,
): Promise<Pick<Relation, "prelude" | "from" | "columns">> {
  const source = { name: queryName, ...dialect.wrapQuery(sql, queryName) };
  const columns = await dialect.describeColumns(session, source);
  if (columns.length !== 2) {
    throw new AnnealError("INVALID_INPUT", `The query of the people gives ${columns.length} columns.`, {
      action: "Select two: the id that owner columns hold, and the e-mail address.",
    });
  }
  const [id, email] = columns;
  if (id?.name === email?.name) {
    throw new AnnealError("INVALID_INPUT", `Both columns of the query of the people are called "${id?.name}".`, {
      action: "Name them apart, as in: SELECT owner AS id, owner AS email FROM person.",
    });
  }
  return { ...source, columns };
}
