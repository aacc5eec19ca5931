// `npm start`: installs what is missing, then runs the stack in the foreground.
import { runAnneal } from "./anneal.mjs";
import { runScript } from "./bootstrap.mjs";

await runScript(() => runAnneal(["start", ...process.argv.slice(2)]));
