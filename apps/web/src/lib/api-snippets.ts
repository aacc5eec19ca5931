/** The API call behind what a page does, ready to paste: everything the portal does goes through these. */
export function apiSnippets(workspace: string, procedure: string, kind: "query" | "mutation", input: unknown) {
  const origin = typeof window === "undefined" ? "" : window.location.origin;
  const url = `${origin}/api/w/${workspace}/trpc/${procedure}`;
  const body = JSON.stringify({ json: input });
  const query = `${url}?input=${encodeURIComponent(body)}`;
  return kind === "query"
    ? [
        { name: "curl", code: `curl -H "Authorization: Bearer $ANNEAL_API_KEY" \\\n  '${query}'` },
        {
          name: "Python",
          code: `import os, requests\n\nanswer = requests.get(\n    "${query}",\n    headers={"Authorization": f"Bearer {os.environ['ANNEAL_API_KEY']}"},\n)\nprint(answer.json()["result"]["data"]["json"])`,
        },
      ]
    : [
        {
          name: "curl",
          code: `curl -X POST -H "Authorization: Bearer $ANNEAL_API_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${body}' \\\n  '${url}'`,
        },
        {
          name: "Python",
          code: `import os, requests\n\nanswer = requests.post(\n    "${url}",\n    headers={"Authorization": f"Bearer {os.environ['ANNEAL_API_KEY']}"},\n    json=${pythonLiteral({ json: input })},\n)\nprint(answer.json())`,
        },
      ];
}

function pythonLiteral(value: unknown): string {
  return JSON.stringify(value, null, 1)
    .replaceAll("\n", "")
    .replaceAll("true", "True")
    .replaceAll("false", "False")
    .replaceAll("null", "None");
}
