import { denseVectorName, payloadIndexes, sparseVectorName } from "./payload.ts";

/** Body of Qdrant's `PUT /collections/{name}`; the engine multiplies the sparse weights by the terms' rarity. */
export function buildCollection(denseSize: number) {
  return {
    vectors: { [denseVectorName]: { size: denseSize, distance: "Cosine" } },
    sparse_vectors: { [sparseVectorName]: { modifier: "idf" } },
  } as const;
}

/** Bodies of `PUT /collections/{name}/index`, one for each field that filters read. */
export function buildPayloadIndexes(): { field_name: string; field_schema: string }[] {
  return Object.entries(payloadIndexes).map(([field_name, field_schema]) => ({
    field_name,
    field_schema,
  }));
}
