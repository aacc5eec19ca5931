type Selection = Map<string, Selection>;

/** Google's `fields` parameter ("Return specific fields"): what is not named is not answered. */
export function selectFields(value: unknown, fields: string): unknown {
  return pick(value, parseSelection(fields));
}

function parseSelection(text: string): Selection {
  const root: Selection = new Map();
  const open = [root];
  let last: Selection = root;
  for (const token of text.match(/[A-Za-z0-9_*]+|[(),]/g) ?? []) {
    if (token === "(") open.push(last);
    else if (token === ")") open.pop();
    else if (token !== ",") {
      last = new Map();
      open.at(-1)!.set(token, last);
    }
  }
  return root;
}

function pick(value: unknown, selection: Selection): unknown {
  if (selection.size === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((entry) => pick(entry, selection));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const nested = selection.get(name);
      return nested === undefined ? [] : [[name, pick(inner, nested)]];
    }),
  );
}
