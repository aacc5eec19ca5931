import { z } from "zod";

type RawIssue = Parameters<NonNullable<z.core.$ZodConfig["customError"]>>[0];
type Issue = Pick<z.core.$ZodIssue, "path" | "message">;

const typeNames: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};
const formatNames: Record<string, string> = {
  uuid: "an id (a UUID)",
  email: "an e-mail address",
  url: "an address such as https://example.com",
};

/** What zod says of bad input, for people: the predicate of a sentence whose subject is the field. */
function wordIssue(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `must be ${typeNames[issue.expected] ?? issue.expected}`;
    case "too_small":
      if (issue.origin === "string" && Number(issue.minimum) <= 1) return "must not be empty";
      return `must ${measure(issue.origin, issue.inclusive === false ? "more than" : "at least", issue.minimum)}`;
    case "too_big":
      return `must ${measure(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum)}`;
    case "invalid_format":
      return formatNames[issue.format] ? `must be ${formatNames[issue.format]}` : "does not have the right form";
    case "invalid_value":
      return `must be ${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "unrecognized_keys":
      return `has a field that is not known: ${issue.keys.join(", ")}`;
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_union":
      return "is none of what is possible here";
    default:
      return undefined;
  }
}

function measure(origin: string, compared: string, limit: number | bigint): string {
  const several = Number(limit) === 1 ? "" : "s";
  if (origin === "string") return `have ${compared} ${limit} character${several}`;
  if (origin === "array" || origin === "set") return `have ${compared} ${limit} ${several ? "entries" : "entry"}`;
  return `be ${compared} ${limit}`;
}

/** From here on, all schemas of this process or page say what is wrong in these words. */
export function wordInputForPeople(): void {
  z.config({ customError: wordIssue });
}

/** "maxPages must be at least 1." A schema's own message is a sentence already, and follows its field's name. */
export function sentenceOf({ path, message }: Issue, subject = path.join(".")): string {
  const text = message.endsWith(".") ? message : `${message}.`;
  if (subject === "") return `${text[0]?.toUpperCase()}${text.slice(1)}`;
  return /^\p{Ll}/u.test(text) ? `${subject} ${text}` : `${subject}: ${text}`;
}
