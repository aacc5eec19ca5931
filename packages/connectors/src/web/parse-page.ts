import { AnnealError } from "@anneal/core/errors";
import { defaultTreeAdapter, Parser, type DefaultTreeAdapterMap, type DefaultTreeAdapterTypes } from "parse5";

type ParseLimits = {
  /** Elements of one page. A few hundred bytes of markup left open can be made to stand in each paragraph anew, as browsers do. */
  elements: number;
  /**
   * Of processor time, so that a busy machine refuses no page. A parser looks through what is open at each tag: deep nesting
   * times many tags can take hours.
   */
  cpuMs: number;
};

const pageLimits: ParseLimits = { elements: 500_000, cpuMs: 10_000 };

/** So much is read between two looks at the clock. */
const partChars = 4096;

/**
 * The tree that a browser would build, within bounds, so that most hostile pages are told by what they do, before they end
 * the process that reads them.
 *
 * @throws AnnealError DOCUMENT_HOSTILE for a page beyond the limits
 */
export function parsePage(html: string, limits = pageLimits): DefaultTreeAdapterTypes.Document {
  let elements = 0;
  const createElement: typeof defaultTreeAdapter.createElement = (...element) => {
    elements += 1;
    if (elements > limits.elements) throw hostile(`makes more than ${limits.elements.toLocaleString("en")} elements`);
    return defaultTreeAdapter.createElement(...element);
  };
  const parser = new Parser<DefaultTreeAdapterMap>({ treeAdapter: { ...defaultTreeAdapter, createElement } });
  const startMs = cpuMs();
  for (let at = 0; at < html.length; at += partChars) {
    parser.tokenizer.write(html.slice(at, at + partChars), false);
    if (cpuMs() - startMs > limits.cpuMs) throw hostile("takes too long to be read");
  }
  parser.tokenizer.write("", true);
  return parser.document;
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function hostile(what: string): AnnealError {
  return new AnnealError("DOCUMENT_HOSTILE", `The page's markup ${what}, as only a broken or hostile one does.`, {
    action: "Exclude the page, or tell the site's owner.",
  });
}
