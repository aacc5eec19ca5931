import { AnnealError } from "@anneal/core/errors";
import { RemoteError } from "../remote/remote-client.ts";
import { parsePath, select, textOf } from "./path.ts";

/**
 * One answer of a listing. `answeredAtMs` is the service's own clock; `total` is how many items there are on all pages, null
 * where that is not told.
 */
export type ItemPage = { items: unknown[]; answeredAtMs: number; total: number | null };

/** What a kind gives to the reading that both share. */
export type ItemListing = {
  /** @param since the newest time read so far, as the service writes it; null for everything */
  list(since: string | null): AsyncIterable<ItemPage>;
  /** Every group with its members; null where none are configured. */
  listGroups: (() => AsyncIterable<ItemPage>) | null;
  /** Pages cut by number or offset shift while items come and go, and may leave one out. */
  mayShift: boolean;
};

/** @param field where the answer says how many items there are; null where no field is named */
export function totalOf(answer: unknown, field: string | null): number | null {
  const said = field === null ? "" : textOf(select(answer, parsePath(field)));
  return /^\d{1,15}$/.test(said) ? Number(said) : null;
}

const maxRestarts = 2;

/**
 * A cursor that went stale in the middle is answered by starting again: what was read already is known by then. One that
 * is refused at the beginning is no stale one, but wrong settings.
 */
export async function* restartWhenStale(list: () => AsyncIterable<ItemPage>): AsyncIterable<ItemPage> {
  for (let restarts = 0; ; restarts += 1) {
    let pages = 0;
    try {
      for await (const page of list()) {
        pages += 1;
        yield page;
      }
      return;
    } catch (error) {
      if (pages === 0 || restarts >= maxRestarts || !isStale(error)) throw error;
    }
  }
}

function isStale(error: unknown): boolean {
  if (!(error instanceof AnnealError)) return false;
  if (!(error instanceof RemoteError)) return saysStale(error.details.said);
  return error.status === 410 || ([400, 404, 422].includes(error.status) && saysStale(error.body));
}

/** @param said the service's own words */
function saysStale(said: unknown): boolean {
  return typeof said === "string" && /cursor|page.?token|continuation|\bafter\b/i.test(said);
}

export function noList(path: string, answer: unknown): AnnealError {
  const names = typeof answer === "object" && answer !== null ? Object.keys(answer).slice(0, 10) : [];
  const has = Array.isArray(answer) ? "is a list itself" : `has ${names.join(", ") || "nothing"}`;
  return new AnnealError("INVALID_INPUT", `The answer has no list at "${path}"; it ${has}.`, {
    action: "Correct the field of the items.",
  });
}

export function repeatsItself(what: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `The service gives the same ${what} again and again.`, {
    action: "Check the pagination: its kind, the name of its parameter, and the field of the next page.",
  });
}
