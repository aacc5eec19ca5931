/** A function that works its result out once for each record: files beside each other share theirs, which may be long. */
export function rememberByRecord<Given extends object, Result>(
  work: (record: Given) => Result,
): (record: Given) => Result {
  const known = new WeakMap<Given, { result: Result }>();
  return (record) => {
    const before = known.get(record);
    if (before !== undefined) return before.result;
    const result = work(record);
    known.set(record, { result });
    return result;
  };
}
