import { z } from "zod";
import { mayRead } from "@anneal/core/access/acl";
import {
  countDatasetFacets,
  getDatasetVersion,
  listDatasetPairs,
  listDatasetVersions,
  listDocumentsOfDataset,
  listTeachingDocuments,
  listUsesOfDataset,
} from "@anneal/db/queries/dataset";
import { sumFacets } from "#server/dataset/sum-facets.ts";
import { toDatasetView } from "#server/dataset/dataset-view.ts";
import { memberProcedure, router } from "#server/trpc.ts";

const maxPage = 1_000;
const byId = z.object({ datasetVersionId: z.uuid() });

export const datasetRouter = router({
  list: memberProcedure.query(async ({ ctx }) => {
    const [versions, teaching] = await Promise.all([listDatasetVersions(ctx.scope), listTeachingDocuments(ctx.scope)]);
    return versions.map((version) => toDatasetView(version, teaching.get(version.id) ?? [], ctx));
  }),

  /** One version with what it was made from and what was made of it; documents that one may not read are only counted. */
  get: memberProcedure.input(byId).query(async ({ ctx, input }) => {
    const { scope, identity } = ctx;
    const [version, all, documents, teaching, uses, facets] = await Promise.all([
      getDatasetVersion(scope, input.datasetVersionId),
      listDatasetVersions(scope),
      listDocumentsOfDataset(scope, input.datasetVersionId),
      listTeachingDocuments(scope, [input.datasetVersionId]),
      listUsesOfDataset(scope, input.datasetVersionId),
      countDatasetFacets(scope, input.datasetVersionId),
    ]);
    const readable = documents.filter((document) => mayRead(document.acl, identity.principalKeys));
    return {
      ...toDatasetView(version, teaching.get(version.id) ?? [], ctx),
      siblings: all
        .filter(({ name }) => name === version.name)
        .map(({ id, version: number }) => ({ id, version: number })),
      documents: readable.map(({ acl: _, ...document }) => document),
      hiddenDocuments: documents.length - readable.length,
      ...uses,
      facets: sumFacets(facets),
    };
  }),

  /** Pairs of documents that this person may read, administrators included: contents follow the source's permissions. */
  pairs: memberProcedure
    .input(
      byId.extend({
        split: z.enum(["train", "eval"]).optional(),
        origin: z.enum(["extracted", "generated"]).optional(),
        dropped: z.boolean().optional(),
        dropCode: z.string().max(100).optional(),
        documentId: z.uuid().optional(),
        search: z.string().max(200).optional(),
        limit: z.number().int().min(1).max(maxPage),
        offset: z.number().int().min(0),
      }),
    )
    .query(async ({ ctx: { scope, identity }, input: { datasetVersionId, limit, offset, ...filter } }) => {
      const { rows, total } = await listDatasetPairs(
        scope,
        datasetVersionId,
        { ...filter, readers: identity.principals, withDeleted: identity.role === "admin" },
        { limit, offset },
      );
      return {
        total,
        rows: rows.map(({ pair: { workspaceId: _, datasetVersionId: __, ...pair }, documentTitle }) => ({
          ...pair,
          documentTitle,
        })),
      };
    }),
});
