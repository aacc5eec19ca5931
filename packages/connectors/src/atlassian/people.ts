/** What both products and both deployments say of people, in one shape. */

export type Group = { id: string; name: string };
/** Somebody who can sign in. `email` is null where it is not told. */
export type Person = { id: string; name: string; email: string | null };

/**
 * The id of a group of Data Center, where a group has nothing but its name: a name that somebody chose must not be
 * taken for an id that the connector makes (`intersection:…`, `application:…`).
 */
export function groupIdOf(name: string): string {
  return `group:${name}`;
}

/** Data Center may mask addresses ("ann at example dot com"); such a one is none. */
export function emailOf(told: string | null | undefined): string | null {
  return told !== null && told !== undefined && /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(told) ? told : null;
}
