import { mayEdit } from "@anneal/core/access/roles";
import { z } from "zod";
import { listAssistants } from "@anneal/db/queries/chat";
import { listSources } from "@anneal/db/queries/sources";
import { listDatasetVersions } from "@anneal/db/queries/dataset";
import { listAdapterVersions } from "@anneal/db/queries/register";
import { listDocuments } from "@anneal/db/queries/documents";
import { listRuns } from "@anneal/db/queries/loop";
import { listTrainingRuns } from "@anneal/db/queries/train";
import { routingTable } from "#server/gateway/gateway.ts";
import { listModelTargets } from "#server/gateway/resolve-model.ts";
import { memberProcedure, router } from "#server/trpc.ts";

export type SearchHit = {
  kind: "adapter" | "assistant" | "dataset" | "document" | "run" | "source" | "training";
  id: string;
  title: string;
  detail: string;
  path: string;
};

const perKind = 5;
const recentTrainings = 500;

export const searchRouter = router({
  /** By name, or by the first characters of an id; of documents and assistants only what this person may read or use. */
  find: memberProcedure
    .input(z.object({ text: z.string().trim().min(2).max(200) }))
    .query(async ({ ctx: { scope, identity }, input }): Promise<SearchHit[]> => {
      const text = input.text.toLowerCase();
      const readers = identity.role === "admin" ? undefined : identity.principals;
      const mayChangeAssistants = mayEdit(identity.role);
      const [documents, sources, runs, trainings, datasets, adapters, assistants, targets] = await Promise.all([
        listDocuments(scope, { search: input.text, readers }, { limit: perKind, offset: 0 }),
        listSources(scope),
        listRuns(scope),
        listTrainingRuns(scope, recentTrainings),
        listDatasetVersions(scope),
        listAdapterVersions(scope),
        listAssistants(scope),
        listModelTargets(routingTable(), identity),
      ]);
      const usable = new Set(targets.flatMap((target) => (target.kind === "assistant" ? [target.assistant.id] : [])));
      const kinds: SearchHit[][] = [
        sources.map(({ id, name, kind }) => ({
          kind: "source",
          id,
          title: name,
          detail: `source, ${kind}`,
          path: `/sources/${id}`,
        })),
        assistants
          .filter(({ id }) => mayChangeAssistants || usable.has(id))
          .map(({ id, name }) => ({
            kind: "assistant",
            id,
            title: name,
            detail: "assistant",
            path: usable.has(id) ? `/chat?assistant=${id}` : "/assistants",
          })),
        [...Map.groupBy(adapters, ({ adapter }) => adapter.id).values()].map((versions) => ({
          kind: "adapter",
          id: versions[0]!.adapter.id,
          title: versions[0]!.adapter.name,
          detail: `adapter, ${versions.length} ${versions.length === 1 ? "version" : "versions"}`,
          path: `/adapters/${versions[0]!.adapter.id}`,
        })),
        datasets.map(({ id, name, version }) => ({
          kind: "dataset",
          id,
          title: `${name} v${version}`,
          detail: "dataset",
          path: `/datasets/${id}`,
        })),
        trainings.map(({ id, status, datasetName, datasetVersion }) => ({
          kind: "training",
          id,
          title: `Training ${id.slice(0, 8)} on ${datasetName} v${datasetVersion}`,
          detail: `training, ${status}`,
          path: `/training/${id}`,
        })),
        runs.map(({ id, status, startedBy }) => ({
          kind: "run",
          id,
          title: `Run ${id.slice(0, 8)}`,
          detail: `${status}, by ${startedBy}`,
          path: `/runs/${id}`,
        })),
      ];
      const named = kinds.flatMap((hits) =>
        hits.filter(({ id, title }) => id.startsWith(text) || title.toLowerCase().includes(text)).slice(0, perKind),
      );
      const read = documents.rows.map(({ id, title, sourceName }) => ({
        kind: "document" as const,
        id,
        title,
        detail: `document, ${sourceName}`,
        path: `/documents/${id}`,
      }));
      return [...named, ...read];
    }),
});
