/**
 * What a failed query says without its parameters, which may be documents' names, addresses of people and secrets. They
 * stand in Drizzle's message and at the head of its stack; and PostgreSQL repeats the value that it cannot take.
 */
export function withoutParameters(error: Error): { message: string; stack: string } {
  const { name, message, stack = "" } = error;
  const cleaned = cleanMessage(error);
  if (cleaned === message) return { message, stack };
  // A parameter may have any number of lines, which may look like the stack's: only the whole message is told from it.
  const frames = stack.split(message).at(-1) ?? "";
  return { message: cleaned, stack: stack.includes(message) ? `${name}: ${cleaned}${frames}` : `${name}: ${cleaned}` };
}

function cleanMessage(error: Error): string {
  if ("code" in error && typeof error.code === "string" && repeatsValues.test(error.code)) {
    return `PostgreSQL refused a value (${error.code}).`;
  }
  // To the end, as the last parameter may have many lines.
  return error.message.replace(/^params: [\s\S]*/m, "params: (left out)");
}

/**
 * Data exceptions, and the syntax errors that values of types with a syntax of their own can have.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const repeatsValues = /^(22[0-9A-Z]{3}|42601)$/;
