import { BSON, type Document } from "mongodb";

const { Binary, Decimal128, Int32, Long, ObjectId } = BSON;

/** What the fake does not know is an error, never an answer. */
export class Unsupported extends Error {}

/**
 * The order of types: https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/. A missing value stands
 * where null does.
 */
function rankOf(value: unknown): number {
  if (value === null || value === undefined) return 1;
  if (typeof value === "number" || value instanceof Int32 || value instanceof Long || value instanceof Decimal128)
    return 2;
  if (typeof value === "string") return 3;
  if (value instanceof Binary) return 6;
  if (value instanceof ObjectId) return 7;
  if (typeof value === "boolean") return 8;
  if (value instanceof Date) return 9;
  if (Array.isArray(value)) return 5;
  if (typeof value === "object") return 4;
  throw new Unsupported(`no order for ${String(value)}`);
}

export function compareValues(a: unknown, b: unknown): number {
  const rank = rankOf(a);
  if (rank !== rankOf(b)) return rank - rankOf(b);
  switch (rank) {
    case 1:
      return 0;
    case 2:
    case 8:
    case 9:
      return Number(a) - Number(b);
    case 3:
      return Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
    case 4:
    case 5:
      return compareEntries(Object.entries(a as object), Object.entries(b as object));
    case 6:
      return Buffer.compare(Buffer.from((a as BSON.Binary).buffer), Buffer.from((b as BSON.Binary).buffer));
    default:
      return Buffer.compare(Buffer.from((a as BSON.ObjectId).id), Buffer.from((b as BSON.ObjectId).id));
  }
}

function compareEntries(a: [string, unknown][], b: [string, unknown][]): number {
  for (const [index, [key, value]] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareValues(value, other[1]) || compareValues(key, other[0]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** `limit`: 0 for none. */
type Query = { filter: Document; sort: Document | undefined; limit: number };

export function matches(document: Document, filter: Document): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    const isMatch = (part: Document) => matches(document, part);
    if (name === "$and") return (condition as Document[]).every(isMatch);
    if (name === "$or") return (condition as Document[]).some(isMatch);
    if (name === "$nor") return !(condition as Document[]).some(isMatch);
    if (name === "$expr") return matchesExpression(document, condition as Document);
    if (name.startsWith("$")) throw new Unsupported(name);
    return matchesField(valuesAt(document, name.split(".")), condition);
  });
}

/** What stands at a path, and where an array stands there its elements as well. */
function valuesAt(value: unknown, path: readonly string[]): unknown[] {
  const [name, ...rest] = path;
  if (name === undefined) return Array.isArray(value) ? [value, ...(value as unknown[])] : [value];
  if (Array.isArray(value)) return value.filter(isObject).flatMap((element) => valuesAt(element, path));
  return valuesAt(isObject(value) ? value[name] : undefined, rest);
}

function matchesField(values: readonly unknown[], condition: unknown): boolean {
  const operators = isObject(condition) ? Object.entries(condition) : [];
  if (!operators.some(([name]) => name.startsWith("$"))) return values.some((value) => isEqual(value, condition));
  return operators.every(([operator, operand]) => {
    const isAny = (test: (order: number) => boolean) =>
      // A filter's comparison finds only values of the same type.
      values.some((value) => rankOf(value) === rankOf(operand) && test(compareValues(value, operand)));
    const isOneOf = () => (operand as unknown[]).some((one) => values.some((value) => isEqual(value, one)));
    switch (operator) {
      case "$eq":
        return isAny((order) => order === 0);
      case "$ne":
        return !isAny((order) => order === 0);
      case "$lt":
        return isAny((order) => order < 0);
      case "$lte":
        return isAny((order) => order <= 0);
      case "$gt":
        return isAny((order) => order > 0);
      case "$gte":
        return isAny((order) => order >= 0);
      case "$in":
        return isOneOf();
      case "$nin":
        return !isOneOf();
      case "$exists":
        return values.some((value) => value !== undefined) === Boolean(operand);
    }
    throw new Unsupported(operator);
  });
}

function isEqual(a: unknown, b: unknown): boolean {
  return compareValues(a, b) === 0;
}

/** An expression's comparison knows all types. */
function matchesExpression(document: Document, expression: Document): boolean {
  const [[operator, operands] = []] = Object.entries(expression);
  if (operator !== "$gt") throw new Unsupported(String(operator));
  const [left, right] = (operands as [string, Document]).map((operand) =>
    typeof operand === "string" ? document[operand.slice(1)] : (operand["$literal"] as unknown),
  );
  return compareValues(left, right) > 0;
}

/** @param sorted the collection in the order of the query */
export function findDocuments(sorted: readonly Document[], query: Query): Document[] {
  const found: Document[] = [];
  for (let at = startOf(sorted, query); at < sorted.length; at += 1) {
    if (!matches(sorted[at]!, query.filter)) continue;
    found.push(sorted[at]!);
    if (found.length === query.limit) break;
  }
  return found;
}

/** Past the _ids that come before those that are looked for, as the index on _id leads there. */
function startOf(sorted: readonly Document[], { filter, sort }: Query): number {
  // No expression but one about _id is known here.
  const beyond = ((filter["$and"] ?? []) as Document[]).find((part) => part["$expr"] !== undefined);
  if (beyond === undefined || Object.keys(sort ?? {})[0] !== "_id" || sort!["_id"] !== 1) return 0;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (matches(sorted[middle]!, beyond)) high = middle;
    else low = middle + 1;
  }
  return low;
}

export function sortDocuments(documents: Document[], sort: Document | undefined): Document[] {
  const fields = Object.entries(sort ?? {}) as [string, number][];
  return documents.toSorted((a, b) => {
    for (const [field, direction] of fields) {
      const order = compareValues(a[field], b[field]);
      if (order !== 0) return order * direction;
    }
    return 0;
  });
}

/** Fields to include, on the way into objects and into each element of an array; _id unless it is left out. */
export function project(document: Document, projection: Document | undefined): Document {
  const paths = Object.entries(projection ?? {});
  if (paths.length === 0) return document;
  if (paths.some(([, include]) => include !== 1)) throw new Unsupported("a projection that leaves out");
  const names = paths.map(([path]) => path);
  const inner = names.find((path) => names.some((other) => path.startsWith(`${other}.`)));
  if (inner !== undefined) throw new Unsupported(`Path collision at ${inner}`);
  return pick(document, ["_id", ...names.filter((name) => name !== "_id")]);
}

function pick(document: Document, paths: string[]): Document {
  const picked: Document = {};
  for (const [name, value] of Object.entries(document)) {
    if (paths.includes(name)) picked[name] = value;
    const inner = paths.filter((path) => path.startsWith(`${name}.`)).map((path) => path.slice(name.length + 1));
    if (inner.length === 0) continue;
    if (Array.isArray(value)) picked[name] = value.filter(isObject).map((element) => pick(element, inner));
    else if (isObject(value)) picked[name] = pick(value, inner);
  }
  return picked;
}

function isObject(value: unknown): value is Document {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
