import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AnnealError } from "@anneal/core/errors";

export type NewConnector = {
  /** Paths within the repository. */
  created: string[];
  changed: string[];
  nextSteps: string[];
};

const connectorsDir = "packages/connectors";
const registryFile = `${connectorsDir}/src/registry.ts`;
const sourceKindsFile = "apps/web/src/server/connect/source-kinds.ts";

/**
 * Copies the template of a connector to `packages/connectors/src/<name>` under its new name, and registers it: with the
 * worker (registry.ts) and in the portal (source-kinds.ts). Nothing is written unless all of it can be.
 *
 * @param name the source's kind in kebab-case, such as "acme-wiki"
 * @throws AnnealError INVALID_INPUT, CONFLICT
 */
export async function writeConnector(repoDir: string, name: string): Promise<NewConnector> {
  const names = namesOf(name);
  const read = (path: string) => readFile(join(repoDir, path), "utf8");
  const [registry, sourceKinds] = await Promise.all([read(registryFile), read(sourceKindsFile)]);
  const folder = `${connectorsDir}/src/${name}`;
  // A folder may hold several kinds, so each list is asked for itself.
  const isTaken = [registry, sourceKinds].some((text) =>
    new RegExp(`\\b${names.camel}(Connector|ConfigSchema)\\b`).test(text),
  );
  if (isTaken || existsSync(join(repoDir, folder))) throw taken(name);

  const templateDir = `${connectorsDir}/template`;
  const files = new Map<string, string>();
  for (const file of await readdir(join(repoDir, templateDir))) {
    files.set(`${folder}/${rename(file, names)}`, rename(moveImports(await read(`${templateDir}/${file}`)), names));
  }
  const changes = new Map([
    [registryFile, addToRegistry(registry, names)],
    [sourceKindsFile, addToSourceKinds(sourceKinds, names)],
  ]);
  await mkdir(join(repoDir, folder));
  for (const [path, text] of [...files, ...changes]) await writeFile(join(repoDir, path), text);
  return {
    created: [...files.keys()],
    changed: [...changes.keys()],
    nextSteps: [
      `npx vitest run --project integration ${folder}   # passes as it is, against ${folder}/fake-${name}.ts`,
      `Put the service's own answers into ${folder}/${name}-api.ts, and its settings into config.ts.`,
      `Let fake-${name}.ts answer as the service does, or start the real one in the test; run the kit again.`,
      `Name what it reads in ${sourceKindsFile}, and what was tried against what in docs/connectors.md.`,
      "npm run format && npm run check",
    ],
  };
}

/** What the command prints. */
export function describeNewConnector({ created, changed, nextSteps }: NewConnector): string {
  return [
    ...created.map((path) => `created  ${path}`),
    ...changed.map((path) => `changed  ${path}`),
    "",
    "Next:",
    ...nextSteps.map((step, index) => `${index + 1}. ${step}`),
  ].join("\n");
}

type Names = { kebab: string; camel: string; pascal: string; title: string };

function namesOf(kebab: string): Names {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(kebab) || kebab.length > 40) {
    throw new AnnealError("INVALID_INPUT", `"${kebab}" cannot be the name of a connector.`, {
      action: 'Use lower-case letters, digits and single hyphens, beginning with a letter: "acme-wiki".',
    });
  }
  const upper = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const words = kebab.split("-");
  const pascal = words.map(upper).join("");
  return { kebab, pascal, camel: pascal.charAt(0).toLowerCase() + pascal.slice(1), title: upper(words.join(" ")) };
}

function rename(text: string, { kebab, camel, pascal, title }: Names): string {
  return text
    .replaceAll("template-source", kebab)
    .replaceAll("templateSource", camel)
    .replaceAll("TemplateSource", pascal)
    .replaceAll("Template source", title);
}

/** The template stands beside `src`, the connector one folder deep in it. */
function moveImports(text: string): string {
  return text.replaceAll('"../conformance/', '"../../conformance/').replaceAll('"../src/', '"../');
}

function addToRegistry(text: string, { kebab, camel }: Names): string {
  const withImport = addImport(
    text,
    /^import \{ \w+ \} from "(\.\/.+-connector\.ts)";$/gm,
    `import { ${camel}Connector } from "./${kebab}/${kebab}-connector.ts";`,
    registryFile,
  );
  const list = /^export const connectors: readonly AnyConnector\[\] = \[([^\]]*)\];$/m.exec(withImport);
  if (list === null) throw unexpectedFile(registryFile);
  const entries = insertSorted(
    (list[1] ?? "").split(",").flatMap((entry) => entry.trim() || []),
    `${camel}Connector`,
  );
  const declaration = "export const connectors: readonly AnyConnector[] = [";
  const oneLine = `${declaration}${entries.join(", ")}];`;
  const lines = oneLine.length <= 120 ? oneLine : `${declaration}\n  ${entries.join(",\n  ")},\n];`;
  return withImport.replace(list[0], () => lines);
}

function addToSourceKinds(text: string, { kebab, camel, title }: Names): string {
  const withImport = addImport(
    text,
    /^import \{[^}]*\} from "(@anneal\/connectors\/.+)";$/gm,
    `import { ${camel}ConfigSchema, ${camel}Facts, ${camel}SecretSchema } from "@anneal/connectors/${kebab}/config";`,
    sourceKindsFile,
  );
  const start = withImport.indexOf("export const sourceKinds: Record<string, SourceKind> = {");
  const end = withImport.indexOf("\n};", start);
  if (start < 0 || end < 0) throw unexpectedFile(sourceKindsFile);
  const key = kebab.includes("-") ? `"${kebab}"` : kebab;
  const entry = `
  ${key}: {
    title: "${title}",
    description: "Documents of ${title}, with their readers.",
    facts: ${camel}Facts,
    configSchema: ${camel}ConfigSchema,
    secretSchema: ${camel}SecretSchema,
    administratorOnly: false,
    locate: ({ url }) => String(url),
    secretsGoTo: ({ url }) => String(url),
  },`;
  return withImport.slice(0, end) + entry + withImport.slice(end);
}

/** @param others imports of its sort, whose first group is the path that they are ordered by */
function addImport(text: string, others: RegExp, line: string, file: string): string {
  const found = [...text.matchAll(others)].map((match) => ({ line: match[0], path: match[1] ?? "", at: match.index }));
  const path = /from "(.+)"/.exec(line)?.[1] ?? "";
  const behind = found.find((other) => other.path > path);
  if (behind !== undefined) return `${text.slice(0, behind.at)}${line}\n${text.slice(behind.at)}`;
  const last = found.at(-1);
  if (last === undefined) throw unexpectedFile(file);
  const end = last.at + last.line.length;
  return `${text.slice(0, end)}\n${line}${text.slice(end)}`;
}

function insertSorted(entries: string[], entry: string): string[] {
  const at = entries.findIndex((other) => other > entry);
  return at < 0 ? [...entries, entry] : [...entries.slice(0, at), entry, ...entries.slice(at)];
}

function taken(name: string): AnnealError {
  return new AnnealError("CONFLICT", `There is already something called "${name}" in ${connectorsDir}/src.`, {
    action: "Choose another name.",
  });
}

function unexpectedFile(path: string): AnnealError {
  return new AnnealError("CONFLICT", `${path} no longer looks as it did when this command was written.`, {
    action: "Copy packages/connectors/template by hand, as docs/connectors.md describes.",
  });
}
