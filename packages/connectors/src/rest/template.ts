import { AnnealError } from "@anneal/core/errors";
import { parsePath, select, textOf, type Path } from "./path.ts";

/** Text with `{path}` where values of an item go; `{{` and `}}` are braces. */
export type Template = readonly (string | Path)[];

/** @throws AnnealError INVALID_INPUT */
export function parseTemplate(text: string): Template {
  const parts: (string | Path)[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g)) {
    const { 0: found, 1: path, index } = match;
    if (index > at) parts.push(text.slice(at, index));
    if (found === "{{" || found === "}}") parts.push(found.charAt(0));
    else if (path !== undefined && path.trim() !== "") parts.push(parsePath(path));
    else throw badTemplate(text);
    at = index + found.length;
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

export function fillTemplate(template: Template, value: unknown): string {
  return template.map((part) => (typeof part === "string" ? part : textOf(select(value, part)))).join("");
}

/**
 * The same for an address: values are encoded, so that none of them can become another path or parameter. A template
 * that is one value alone is an address that the service gave, and stays as it is.
 *
 * @throws AnnealError INVALID_INPUT for a value that no encoding keeps in its place
 */
export function fillAddress(template: Template, value: unknown): string {
  const [only] = template;
  if (template.length === 1 && typeof only === "object") return textOf(select(value, only));
  return template
    .map((part) => {
      if (typeof part === "string") return part;
      const text = textOf(select(value, part));
      if (text === "." || text === "..") throw dotted(text);
      // A text that was cut in the middle of a character has no encoding.
      return encodeURIComponent(text.toWellFormed());
    })
    .join("");
}

function dotted(text: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${text}" in an address would name another folder.`, {
    action: "Take another field into the address, or give the item another name at the source.",
  });
}

function badTemplate(text: string): AnnealError {
  return new AnnealError("INVALID_INPUT", `"${text}" has a brace without its partner, or nothing between two.`, {
    action: "Write values as {title} or {author.name}, and a brace itself as {{ or }}.",
  });
}
