import { AnnealError } from "@anneal/core/errors";
import type { ConnectContext, ConnectLimits } from "../connector.ts";

/** How long a server may work on one statement: ten minutes, where a request may take half a minute. */
export function statementLimitMs({ requestTimeoutMs }: ConnectLimits): number {
  return 20 * requestTimeoutMs;
}

export type StatementWatch = {
  /** The context of the session: its signal also ends when a statement is given up. */
  context: ConnectContext;
  /**
   * @param limitMs left out: beyond what the server itself allows a statement
   * @throws what ends the session, AnnealError SOURCE_UNREACHABLE, where the server says nothing for so long
   */
  watch<T>(work: () => Promise<T>, limitMs?: number): Promise<T>;
};

/** The server ends its statements itself, as long as it is there: one that is gone without a word says nothing for ever. */
export function watchStatements(context: ConnectContext, host: string): StatementWatch {
  const gone = new AbortController();
  const usualMs = statementLimitMs(context.limits) + context.limits.requestTimeoutMs;
  return {
    context: { ...context, signal: AbortSignal.any([context.signal, gone.signal]) },
    async watch(work, limitMs = usualMs) {
      const timer = setTimeout(() => gone.abort(stoppedAnswering(host)), limitMs);
      try {
        return await work();
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

function stoppedAnswering(host: string): AnnealError {
  return new AnnealError("SOURCE_UNREACHABLE", `${host} stopped answering.`, {
    action: "Check that the server runs and that the way to it is open; then sync again.",
    details: { code: "TIMEOUT" },
    retryable: true,
  });
}
