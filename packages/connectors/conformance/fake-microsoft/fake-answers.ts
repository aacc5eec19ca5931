import type { Caller } from "./fake-entra.ts";
import type { FakeTenant } from "./fake-tenant.ts";

export type GraphRequest = {
  path: string;
  query: URLSearchParams;
  prefer: string;
  excludesParents: boolean;
  caller: Caller;
};
export type GraphAnswer = { status: number; body?: unknown; headers?: Record<string, string> };

/** @param show what is answered of each item; as it is, where it is left out */
export function page<T>(
  tenant: FakeTenant,
  items: readonly T[],
  request: GraphRequest,
  place: { origin: string },
  show: (item: T) => unknown = (item) => item,
): GraphAnswer {
  const from = Number(request.query.get("$skiptoken") ?? 0);
  const to = from + tenant.pageSize;
  const next = `${place.origin}/v1.0/${request.path}?$skiptoken=${to}${selectionOf(request)}`;
  return ok({ value: items.slice(from, to).map(show), ...(to < items.length ? { "@odata.nextLink": next } : {}) });
}

/** What a next page is asked for with. */
export function selectionOf({ query }: GraphRequest): string {
  const fields = query.get("$select");
  return fields === null ? "" : `&$select=${encodeURIComponent(fields)}`;
}

export function ok(body: unknown): GraphAnswer {
  return { status: 200, body };
}

export function fail(status: number, code: string): GraphAnswer & { body: unknown } {
  return { status, body: { error: { code, message: `The service says ${code}.` } } };
}
