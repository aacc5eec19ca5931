import { z } from "zod";

/**
 * Whether a source may stand in one's own network, the worker's machine included. Whoever adds sources could otherwise have
 * the worker knock on doors that only it can reach, so an administrator alone opens it.
 *
 * @param forWhat what needs it, in a sentence
 * @param isUsual most sources of the kind stand there: an administrator's form begins with it
 */
export function privateHostsField(forWhat: string, isUsual = false) {
  return z
    .boolean()
    .default(false)
    .meta({
      title: "Allow private hosts",
      description: `${forWhat} Metadata services stay refused.`,
      administrator: true,
      ...(isUsual ? { suggested: true } : {}),
    });
}
