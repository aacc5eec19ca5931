import type { Stored } from "./fake-store.fixture.ts";

/** kubernetes.io/docs/concepts/overview/working-with-objects/labels: a=b, a==b, a!=b, a, !a, a in (b, c), a notin (b). */
export function matchesLabels(object: Stored, selector: string): boolean {
  const labels = object.metadata.labels ?? {};
  const requirements = selector.match(/[^,(]+(?:\([^)]*\))?/g) ?? [];
  return requirements.every((text) => {
    const [, key = "", not, values = ""] = /^\s*(\S+)\s+(not)?in\s+\(([^)]*)\)\s*$/.exec(text) ?? [];
    if (key !== "") {
      const isIn = values
        .split(",")
        .map((value) => value.trim())
        .includes(labels[key] ?? "");
      return not ? !isIn : isIn && key in labels;
    }
    const [, name = "", operator, value] = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(\S*)\s*$/.exec(text) ?? [];
    if (operator === "!=") return labels[name] !== value;
    if (operator) return labels[name] === value;
    const bare = text.trim();
    return bare.startsWith("!") ? !(bare.slice(1) in labels) : bare in labels;
  });
}

/** metadata.name, status.phase and the like, with =, == and !=. */
export function matchesFields(object: Stored, selector: string): boolean {
  return selector
    .split(",")
    .filter((text) => text !== "")
    .every((text) => {
      const [, path = "", operator, value] = /^([^=!]+)(==|=|!=)(.*)$/.exec(text) ?? [];
      const found = path
        .split(".")
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], object);
      return (String(found ?? "") === value) === (operator !== "!=");
    });
}
