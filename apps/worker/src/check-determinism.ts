import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleWithSourceMap } from "@temporalio/worker";
import { isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";

/**
 * The second of the three guards of determinism (the others: a lint rule, and replays of recorded histories): bundles
 * the workflows as the worker does and looks at everything that came along. `node apps/worker/src/check-determinism.ts`
 * ends with 1 when something is wrong.
 */
export const workflowsPath = fileURLToPath(new URL("./workflows/all.ts", import.meta.url));

/** What workflow code may be made of; any other module does I/O or may start to. */
const allowedModules = [
  /\/apps\/worker\/src\/workflows\//,
  /\/packages\/core\/src\//,
  /\/node_modules\/(@temporalio\/|zod\/|nexus-rpc\/|ms\/|long\/|@protobufjs\/|protobufjs\/)/,
  /^webpack\//,
  /^ignored/,
];
/** Temporal gives these the form that workflows may use. */
const replacedBuiltins = new Set(["assert", "url", "util"]);

export type WorkflowBundleCheck = { code: string; modules: string[]; problems: string[] };

/** @param entry the file that exports the workflows */
export async function checkDeterminism(entry: string): Promise<WorkflowBundleCheck> {
  // What is wrong is told to the logger only; the error itself is a sentence that something is.
  const told: string[] = [];
  const logger = new DefaultLogger("ERROR", ({ message }) => void told.push(message));
  let bundle: WorkflowBundleWithSourceMap;
  try {
    bundle = await bundleWorkflowCode({ workflowsPath: entry, logger });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { code: "", modules: [], problems: [...told, message] };
  }
  const modules = listModules(bundle.code);
  const problems = modules.flatMap((name) => {
    const builtin = name.replace(/^(external |ignored\|.*\|)?(node:)?/, "");
    if (isBuiltin(builtin)) return replacedBuiltins.has(builtin) ? [] : [`${name} is a module of Node.js.`];
    return allowedModules.some((pattern) => pattern.test(name)) ? [] : [`${name} is not made for workflows.`];
  });
  if (modules.length === 0) problems.push("The bundle has no source map, so that nothing could be checked.");
  return { code: bundle.code, modules, problems };
}

/** From the inline source map, which names every module that the bundler took in. */
function listModules(code: string): string[] {
  const map = /sourceMappingURL=data:application\/json;(?:charset=[\w-]+;)?base64,([A-Za-z0-9+/=]+)/.exec(code)?.[1];
  if (map === undefined) return [];
  const { sources } = JSON.parse(Buffer.from(map, "base64").toString("utf8")) as { sources: string[] };
  return sources.map((source) => source.replace(/^webpack:\/\/[^/]*\//, "")).toSorted();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { modules, problems } = await checkDeterminism(workflowsPath);
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`The workflows are made of ${modules.length} modules, none of which does I/O.`);
}
