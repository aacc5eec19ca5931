import { mayRead } from "@anneal/core/access/acl";
import { listDatasetPairs, listDatasetVersions } from "@anneal/db/queries/dataset";
import type { MemberContext } from "#server/context.ts";

const wanted = 4;
const considered = 200;
const maxQuestionChars = 90;

/**
 * Questions that the documents answer, to begin with: from the newest dataset, each of another document, and only of
 * documents that this person may read now, for a question tells what is in its document.
 */
export async function suggestQuestions({ scope, identity }: MemberContext): Promise<string[]> {
  const [newest] = (await listDatasetVersions(scope)).toSorted(
    (left, right) => right.createdAt.getTime() - left.createdAt.getTime(),
  );
  if (!newest) return [];
  const filter = { dropped: false, readers: identity.principals };
  const { rows } = await listDatasetPairs(scope, newest.id, filter, { limit: considered, offset: 0 });
  const questions = new Map<string, string>();
  for (const { pair, documentAcl } of rows) {
    if (questions.size === wanted) break;
    if (!mayRead(documentAcl, identity.principalKeys) || pair.question.length > maxQuestionChars) continue;
    if (!questions.has(pair.documentId)) questions.set(pair.documentId, pair.question);
  }
  return [...questions.values()];
}
