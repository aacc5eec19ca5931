import type { Layout } from "./extraction-layouts-press.ts";
import { footerLinks, gold, menuLinks, page, paragraphs, repeat, teasers, words } from "./extraction-parts.ts";
import type { Prose } from "./extraction-prose.ts";

const steps = (prose: Prose, count: number) =>
  `<ol>${repeat(count, () => `<li>${gold(prose.sentences(1))}</li>`)}</ol>`;

const chapter = (prose: Prose) =>
  `<h2>${gold(prose.title())}</h2>${paragraphs(prose, 1)}<ul>${repeat(3, () => `<li>${gold(prose.sentences(1))}</li>`)}</ul>`;

/** Hand-written and exported pages: headings, lists and paragraphs in a container that says nothing of itself. */
export const plainLayouts: Layout[] = [
  {
    name: "plain-body",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Night shift handbook",
        `<h1>${gold("Night shift handbook")}</h1>${paragraphs(prose, 2)}<h2>${gold(prose.title())}</h2>${steps(prose, 4)}<p>${gold("Checked.")}</p><h2>${gold(prose.title())}</h2>${paragraphs(prose, 1)}${steps(prose, 3)}<p>${gold("Checked.")}</p>`,
      ),
  },
  {
    name: "plain-body-navigation",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Betriebsanweisung",
        `<ul>${menuLinks(prose, (label) => `<li><a href="/m">${label}</a></li>`)}</ul><h1>${gold("Betriebsanweisung")}</h1>${repeat(3, () => chapter(prose))}<p>${gold(prose.sentences(1))}</p><hr><p>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</p>`,
      ),
  },
  {
    name: "plain-div",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "How we order spare parts",
        `<div>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><h1>${gold("How we order spare parts")}</h1><div>${paragraphs(prose, 2)}<h2>${gold(prose.title())}</h2>${steps(prose, 5)}${paragraphs(prose, 1)}<h2>${gold(prose.title())}</h2><dl>${repeat(3, () => `<dt>${gold(prose.thing())}</dt><dd>${gold(prose.sentences(1))}</dd>`)}</dl></div><div>© 2026 ${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "plain-class-page",
    language: "fr",
    make: (prose) =>
      page(
        prose,
        "Consignes de sécurité",
        `<div class="haut">${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="page"><h1>${gold("Consignes de sécurité")}</h1>${paragraphs(prose, 1)}${repeat(3, () => chapter(prose))}</div><div class="bas">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "plain-sections",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Onboarding",
        `<header><a href="/">Intranet</a><nav>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</nav></header><h1>${gold("Onboarding")}</h1>${repeat(4, () => `<section>${chapter(prose)}</section>`)}<footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
  {
    name: "plain-div-beside-teasers",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Winter checks",
        `<div class="r1"><div class="c1"><h1>${gold("Winter checks")}</h1>${paragraphs(prose, 2)}<h2>${gold(prose.title())}</h2>${steps(prose, 5)}${paragraphs(prose, 2)}</div><div class="c2"><h3>Read next</h3>${teasers(prose, 5, (text, lead) => `<div><h4><a href="/n">${text}</a></h4><p>${lead}</p></div>`)}<p>${words.en.newsletter}</p></div></div>`,
      ),
  },
];
