import { canonicalJson } from "../canonical-json.ts";
import type { DatasetExample } from "./dataset-digest.ts";
import { toMessagesJsonl } from "./dataset-digest.ts";

export const datasetFormats = ["messages", "alpaca", "sharegpt", "prompt-completion", "csv"] as const;
export type DatasetFormat = (typeof datasetFormats)[number];

/** A dataset as text in one of the formats that training programs read. Every format but CSV is JSON lines. */
export function writeDataset(examples: readonly DatasetExample[], format: DatasetFormat): string {
  switch (format) {
    case "messages":
      return toMessagesJsonl(examples);
    case "alpaca":
      return jsonLines(examples, (example) => {
        const { system, user, assistant } = turnsOf(example);
        return {
          instruction: user,
          input: "",
          output: assistant,
          ...(system === "" ? {} : { system }),
        };
      });
    case "sharegpt":
      return jsonLines(examples, ({ messages }) => ({
        conversations: messages.map(({ role, content }) => ({
          from: shareGptRole[role],
          value: content,
        })),
      }));
    case "prompt-completion":
      return jsonLines(examples, ({ messages }) => ({
        prompt: messages.slice(0, -1),
        completion: messages.slice(-1),
      }));
    case "csv":
      return toCsv(examples);
  }
}

const shareGptRole = { system: "system", user: "human", assistant: "gpt" } as const;

const jsonLines = (examples: readonly DatasetExample[], toValue: (example: DatasetExample) => unknown): string =>
  examples.map((example) => `${canonicalJson(toValue(example))}\n`).join("");

function turnsOf({ messages }: DatasetExample): {
  system: string;
  user: string;
  assistant: string;
} {
  const contents = (role: "system" | "user") =>
    messages
      .filter((message) => message.role === role)
      .map((message) => message.content)
      .join("\n\n");
  return {
    system: contents("system"),
    user: contents("user"),
    assistant: messages.at(-1)?.content ?? "",
  };
}

/** RFC 4180. A field that a spreadsheet would run as a formula gets an apostrophe before it (OWASP, CSV injection). */
function toCsv(examples: readonly DatasetExample[]): string {
  const rows = examples.map((example) => {
    const { system, user, assistant } = turnsOf(example);
    return [example.split, example.metadata.kind, system, user, assistant, example.metadata.source.quote];
  });
  return [["split", "kind", "system", "user", "assistant", "quote"], ...rows]
    .map((row) => `${row.map(csvField).join(",")}\r\n`)
    .join("");
}

const csvField = (text: string): string => `"${text.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;
