import { AnnealError } from "@anneal/core/errors";
import { limitBytes } from "../content.ts";
import { select, textOf, type Path } from "./path.ts";

/** The text that stands at a field of what the second request answered. */
export function textAt(answer: unknown, field: Path, ref: string, maxBytes: number): AsyncIterable<Uint8Array> {
  const value = select(answer, field);
  if (value === undefined || value === null) {
    throw new AnnealError("SOURCE_NOT_FOUND", `The content of "${ref}" has no text at the content field.`, {
      action: "Check the content field, or leave the item out at the service.",
    });
  }
  return limitBytes(
    ref,
    (async function* () {
      yield Buffer.from(textOf(value));
    })(),
    maxBytes,
  );
}

export function noContentPath(ref: string): AnnealError {
  return new AnnealError("SOURCE_NOT_FOUND", `"${ref}" has no address for its content.`, {
    action: "Check the second request: a field that it names is empty here.",
  });
}
