import type { Kit } from "./kit.ts";

/** More than any connector lets pass between two checkpoints. */
export const manyDocuments = 210;

export async function putMany({ hands }: Kit): Promise<void> {
  const { put } = hands();
  for (let index = 0; index < manyDocuments; index += 1) await put(`many/${index}.md`, `This is number ${index}.`);
}
