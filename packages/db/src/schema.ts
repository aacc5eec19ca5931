export * from "./schema/access.ts";
export * from "./schema/chat.ts";
export * from "./schema/connect.ts";
export * from "./schema/dataset.ts";
export * from "./schema/deploy.ts";
export * from "./schema/loop.ts";
export * from "./schema/pools.ts";
export * from "./schema/train.ts";
