/** As `list.push(...items)`, which fails where a file holds more items than a call may have arguments: about 100,000. */
export function appendAll<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item);
}
