/** What the refs of a table's, a query's or a collection's documents begin with. */
export function refPrefix(relationName: string): string {
  return `${encodeURIComponent(relationName)}/`;
}
