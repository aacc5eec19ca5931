import { z } from "zod";

/**
 * A setting that is one of several values. What is stored, and typed on the command line, is the value; the portal's form and
 * whatever else people read show its label.
 */
export function choice<const Labels extends Record<string, string>>(labels: Labels) {
  type Value = keyof Labels & string;
  return z.enum(Object.keys(labels) as [Value, ...Value[]]).meta({ labels });
}
