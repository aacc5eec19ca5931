import type { ConnectContext } from "../connector.ts";
import { createRemoteCalls } from "../remote/remote-calls.ts";
import type { SqlConfig, SqlSecrets } from "./config.ts";
import type { Dialect, SqlSession } from "./dialect.ts";
import { watchStatements } from "./statement-limit.ts";

/**
 * A session whose statements go out in their turn among all of this process to that server, are counted, and end with it
 * when the server is gone.
 */
export async function openSession<Session extends SqlSession>(
  dialect: Dialect<Session>,
  config: SqlConfig,
  secrets: SqlSecrets,
  context: ConnectContext,
): Promise<Session> {
  const calls = createRemoteCalls(config, dialect.defaultPort, context);
  const watched = watchStatements(context, config.host);
  const session = await calls.call("connect", () =>
    watched.watch(() => dialect.open(config, secrets, watched.context)),
  );
  const query: Session["query"] = (...statement) =>
    calls.call("query", () => watched.watch(() => session.query(...statement)));
  const stream: Session["stream"] = (...statement) =>
    calls.pages("page", eachWatched(session.stream(...statement), watched.watch));
  const { ask } = session;
  return {
    ...session,
    query,
    stream,
    ...(ask === undefined ? {} : { ask: (sql: string) => calls.call("command", () => watched.watch(() => ask(sql))) }),
    close: () => watched.watch(() => session.close(), context.limits.requestTimeoutMs),
  };
}

async function* eachWatched<T>(
  pages: AsyncIterable<T>,
  watch: <R>(work: () => Promise<R>) => Promise<R>,
): AsyncIterable<T> {
  const iterator = pages[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await watch(() => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await watch(async () => iterator.return?.());
  }
}
