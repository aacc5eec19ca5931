import { registerHooks } from "node:module";

/**
 * To be loaded before whatever loads drizzle-orm. For each module of a package Node parses the whole package.json to learn
 * whether it is an ES module, and that of drizzle-orm is 179 kB: more than half a second of processor time at each start.
 * What one ES module of it imports beside itself is one as well.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const { parentURL } = context;
    if (
      !specifier.startsWith(".") ||
      !parentURL?.includes("/node_modules/drizzle-orm/") ||
      !parentURL.endsWith(".js")
    ) {
      return nextResolve(specifier, context);
    }
    return { url: new URL(specifier, parentURL).href, format: "module", shortCircuit: true };
  },
});
