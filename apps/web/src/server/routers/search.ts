import { z } from "zod";
import { listSources } from "@anneal/db/queries/connect";
import { listDocuments } from "@anneal/db/queries/documents";
import { listRuns } from "@anneal/db/queries/loop";
import { memberProcedure, router } from "#server/trpc.ts";

export type SearchHit = {
  kind: "document" | "source" | "run";
  id: string;
  title: string;
  detail: string;
  path: string;
};

const perKind = 6;

export const searchRouter = router({
  /** By name, or by the first characters of an id. */
  find: memberProcedure
    .input(z.object({ text: z.string().trim().min(2).max(200) }))
    .query(async ({ ctx: { scope, identity }, input }) => {
      const text = input.text.toLowerCase();
      const matches = (id: string, name = "") => id.startsWith(text) || name.toLowerCase().includes(text);
      const readers = identity.role === "admin" ? undefined : identity.principals;
      const [documents, sources, runs] = await Promise.all([
        listDocuments(scope, { search: input.text, readers }, { limit: perKind, offset: 0 }),
        listSources(scope),
        listRuns(scope),
      ]);
      const hits: SearchHit[] = [
        ...sources
          .filter(({ id, name }) => matches(id, name))
          .slice(0, perKind)
          .map(({ id, name, kind }) => ({
            kind: "source" as const,
            id,
            title: name,
            detail: kind,
            path: `/sources/${id}`,
          })),
        ...runs
          .filter(({ id }) => matches(id))
          .slice(0, perKind)
          .map(({ id, status, startedBy }) => ({
            kind: "run" as const,
            id,
            title: `Run ${id.slice(0, 8)}`,
            detail: `${status}, by ${startedBy}`,
            path: `/runs/${id}`,
          })),
        ...documents.rows.map(({ id, title, sourceName }) => ({
          kind: "document" as const,
          id,
          title,
          detail: sourceName,
          path: `/documents/${id}`,
        })),
      ];
      return hits;
    }),
});
