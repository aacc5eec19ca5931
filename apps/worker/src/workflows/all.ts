// The entry of the workflow bundle: Temporal finds workflows by these names.
export { clean } from "./clean.ts";
export { checkSource, connect, sync } from "./connect.ts";
export { dataset } from "./dataset.ts";
export { dedupe } from "./dedupe.ts";
export { readDirectories, readDirectory } from "./directories.ts";
export { deploy, deployStage } from "./deploy.ts";
export { indexing } from "./indexing.ts";
export { loop } from "./loop.ts";
export { purgeDeleted } from "./purge.ts";
export { pushReaders } from "./push-readers.ts";
export { register } from "./register.ts";
export { reconcileServing } from "./serving.ts";
export { train } from "./train.ts";
