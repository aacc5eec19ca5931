type SnippetFacts = { baseUrl: string; model: string; question: string };

/** The same question to a model of our API in three languages, ready to paste; the key comes from the environment. */
export function openAiSnippets({ baseUrl, model, question }: SnippetFacts): { name: string; code: string }[] {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: question }] });
  // A JSON string is a string literal of Python and of TypeScript too.
  const [modelLiteral, questionLiteral] = [JSON.stringify(model), JSON.stringify(question)];
  return [
    {
      name: "curl",
      code: `curl ${baseUrl}/chat/completions \\
  -H "Authorization: Bearer $ANNEAL_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${body.replaceAll("'", String.raw`'\''`)}'`,
    },
    {
      name: "Python",
      code: `import os
from openai import OpenAI

client = OpenAI(base_url="${baseUrl}", api_key=os.environ["ANNEAL_API_KEY"])
answer = client.chat.completions.create(
    model=${modelLiteral},
    messages=[{"role": "user", "content": ${questionLiteral}}],
)
print(answer.choices[0].message.content)
for citation in answer.anneal["citations"]:
    print(f"[{citation['number']}]", citation["title"], "-", citation["quote"])`,
    },
    {
      name: "TypeScript",
      code: `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${baseUrl}", apiKey: process.env.ANNEAL_API_KEY });
const stream = await client.chat.completions.create({
  model: ${modelLiteral},
  messages: [{ role: "user", content: ${questionLiteral} }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");`,
    },
  ];
}
