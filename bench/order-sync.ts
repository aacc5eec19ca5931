import { untilDone, type Platform } from "./running-platform.ts";

/** Has a source read now. It has one reader at a time: while the sync before still ends, the order is given again. */
export async function orderSync({ mutate }: Platform, sourceId: string): Promise<void> {
  await untilDone(async () =>
    mutate("connect.sync", { sourceId }).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && error.message.includes("ALREADY_RUNNING")) return false;
        throw error;
      },
    ),
  );
}
