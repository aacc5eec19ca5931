import { hash } from "node:crypto";
import { AnnealError } from "@anneal/core/errors";
import { tooLarge } from "../failure.ts";
import { renderPage } from "./markdown.ts";
import type { NotionClient } from "./notion-client.ts";
import { bodyOf, plainText, type BlockTree, type Page } from "./notion-objects.ts";
import { describeProperties, titleOf } from "./properties.ts";

type PageContent = { title: string; bytes: Uint8Array; digest: string };

const maxDepth = 20;
const maxBlocks = 20_000;
/** Raised when the rendering changes, so that every page gets a new fingerprint. */
const renderingVersion = 1;

/** Documents of their own. */
const apart = new Set(["child_page", "child_database"]);

/** @throws AnnealError DOCUMENT_TOO_LARGE above the limit of bytes, blocks or depth, before the rest is read */
export async function readPage(client: NotionClient, page: Page, limitBytes: number): Promise<PageContent> {
  const title = titleOf(page);
  const left = { bytes: limitBytes, blocks: maxBlocks };
  const blocks = await readBlocks(client, page.id, title, left, limitBytes, 0);
  const bytes = Buffer.from(renderPage(title, describeProperties(page), blocks));
  if (bytes.byteLength > limitBytes) throw tooLarge(title, bytes.byteLength, limitBytes);
  return { title, bytes, digest: `${renderingVersion}-${hash("sha256", bytes).slice(0, 32)}` };
}

async function readBlocks(
  client: NotionClient,
  parentId: string,
  title: string,
  left: { bytes: number; blocks: number },
  limitBytes: number,
  depth: number,
): Promise<BlockTree[]> {
  if (depth > maxDepth) throw tooManyBlocks(title, `its blocks are nested deeper than ${maxDepth}`);
  const trees: BlockTree[] = [];
  for await (const block of client.children(parentId)) {
    if (block.in_trash === true || apart.has(block.type)) continue;
    left.bytes -= Buffer.byteLength(plainText(bodyOf(block).rich_text));
    left.blocks -= 1;
    trees.push({ block, children: [] });
    if (left.bytes < 0) throw tooLarge(title, null, limitBytes);
    if (left.blocks < 0) throw tooManyBlocks(title, `it has more than ${maxBlocks.toLocaleString("en")} blocks`);
  }
  const parents = trees.filter(({ block }) => block.has_children === true);
  await Promise.all(
    parents.map(async (tree) => {
      tree.children = await readBlocks(client, tree.block.id, title, left, limitBytes, depth + 1);
    }),
  );
  return trees;
}

function tooManyBlocks(title: string, why: string): AnnealError {
  return new AnnealError("DOCUMENT_TOO_LARGE", `"${title}" is not read: ${why}.`, {
    action: "Split the page in Notion.",
  });
}
