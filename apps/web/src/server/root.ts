import { accessRouter } from "#server/routers/access.ts";
import { assistantsRouter } from "#server/routers/assistants.ts";
import { auditRouter } from "#server/routers/audit.ts";
import { chatRouter } from "#server/routers/chat.ts";
import { connectRouter } from "#server/routers/connect.ts";
import { datasetRouter } from "#server/routers/dataset.ts";
import { deployRouter } from "#server/routers/deploy.ts";
import { documentsRouter } from "#server/routers/documents.ts";
import { liveRouter } from "#server/routers/live.ts";
import { loopRouter } from "#server/routers/loop.ts";
import { poolsRouter } from "#server/routers/pools.ts";
import { searchRouter } from "#server/routers/search.ts";
import { trainRouter } from "#server/routers/train.ts";
import { workRouter } from "#server/routers/work.ts";
import { router } from "#server/trpc.ts";

export const appRouter = router({
  access: accessRouter,
  assistants: assistantsRouter,
  audit: auditRouter,
  chat: chatRouter,
  connect: connectRouter,
  dataset: datasetRouter,
  deploy: deployRouter,
  documents: documentsRouter,
  live: liveRouter,
  loop: loopRouter,
  pools: poolsRouter,
  search: searchRouter,
  train: trainRouter,
  work: workRouter,
});

export type AppRouter = typeof appRouter;
