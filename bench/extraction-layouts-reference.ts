import type { Layout } from "./extraction-layouts-press.ts";
import { footerLinks, gold, menuLinks, page, paragraphs, repeat, teasers, words } from "./extraction-parts.ts";
import type { Prose } from "./extraction-prose.ts";

const code = (language: string, lines: readonly string[]) =>
  `<div class="highlight"><pre><code class="language-${language}">${gold(lines.map((line) => line.replaceAll("<", "&lt;")).join("\n"))}</code></pre><button class="copy">Copy</button></div>`;

const sideTree = (prose: Prose) =>
  `<ul>${repeat(6, (index) => `<li><a href="/d${index}">${prose.title()}</a><ul>${repeat(4, (inner) => `<li><a href="/d${index}/${inner}">${prose.thing()} and ${prose.thing()}</a></li>`)}</ul></li>`)}</ul>`;

const heading = (level: number, id: string, text: string) =>
  `<h${level} id="${id}">${gold(text)}<a class="headerlink" href="#${id}" aria-label="Permalink">#</a></h${level}>`;

/** Manuals, encyclopaedias, notices: what is looked up. */
export const referenceLayouts: Layout[] = [
  {
    name: "docs-side-navigation",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Install the pump service - Pumpd documentation",
        `<header class="navbar"><a href="/">Pumpd</a><input type="search" placeholder="${words.en.search}"><a href="/blog">Blog</a> <a href="/gh">GitHub</a></header><div class="layout"><aside class="sidebar">${sideTree(prose)}</aside>
<main class="doc"><div class="crumb"><a href="/docs">Docs</a> / <a href="/docs/i">Install</a></div>${heading(1, "install", "Install the pump service")}${paragraphs(prose, 2)}${heading(2, "requirements", "Requirements")}<ul><li>${gold(prose.sentences(1))}</li><li>${gold(prose.sentences(1))}</li></ul>${code("bash", ["apt-get install pumpd", "systemctl enable --now pumpd"])}
<div class="admonition note"><p class="admonition-title">${gold("Note")}</p><p>${gold(prose.sentences(2))}</p></div>${heading(2, "configure", "Configure it")}${paragraphs(prose, 2)}${code("yaml", ["listen: 127.0.0.1:9000", "pressure:", "  low: 1.0", "  high: 4.5"])}${paragraphs(prose, 2)}
<div class="feedback">Was this page helpful? <button>Yes</button> <button>No</button></div><div class="pager"><a href="/prev">« Overview</a><a href="/next">Upgrade »</a></div></main><aside class="toc-right"><p>On this page</p><ul><li><a href="#requirements">Requirements</a></li><li><a href="#configure">Configure it</a></li></ul></aside></div><footer>Last updated on 3 March 2026 · Edit this page</footer>`,
      ),
  },
  {
    name: "docs-sphinx",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Reference — pump 3.2 documentation",
        `<div class="related" role="navigation"><h3>Navigation</h3><ul><li><a href="genindex.html">index</a></li><li><a href="next.html">next</a></li></ul></div><div class="document"><div class="documentwrapper"><div class="bodywrapper"><div class="body" role="main"><section id="reference"><h1>${gold("Reference")}<a class="headerlink" href="#reference">¶</a></h1>${paragraphs(prose, 1)}
${repeat(4, (index) => `<dl class="py function"><dt class="sig">${gold(`pump.open_valve_${index}(pressure, timeout=${prose.number(1, 60)})`)}<a class="headerlink" href="#f">¶</a></dt><dd><p>${gold(prose.sentences(2))}</p><dl class="field-list"><dt>${gold("Parameters")}</dt><dd><p>${gold(`pressure – ${prose.sentences(1)}`)}</p></dd></dl></dd></dl>`)}
<table class="docutils"><thead><tr><th>${gold("Code")}</th><th>${gold("Meaning")}</th></tr></thead><tbody>${repeat(4, (index) => `<tr><td>${gold(`E${index}1`)}</td><td>${gold(prose.sentences(1))}</td></tr>`)}</tbody></table></section></div></div></div><div class="sphinxsidebar" role="navigation"><h3>Table of Contents</h3>${sideTree(prose)}</div></div><div class="footer">© Copyright 2026. Created using Sphinx 8.1.</div>`,
      ),
  },
  {
    name: "wiki-infobox",
    language: "en",
    make(prose) {
      const place = prose.place();
      const part = (title: string) =>
        `<h2><span class="mw-headline" id="x">${gold(title)}</span><span class="mw-editsection">[<a href="/e">edit</a>]</span></h2>${paragraphs(prose, 3)}`;
      return page(
        prose,
        `${place} - Wiki`,
        `<div id="mw-page-base"></div><div id="content" class="mw-body"><h1 id="firstHeading">${gold(place)}</h1><div id="siteSub">From the free encyclopedia</div><div id="contentSub"></div><div id="mw-content-text"><div class="mw-parser-output"><table class="infobox"><tbody><tr><th colspan="2">${gold(place)}</th></tr><tr><th>${gold("Population")}</th><td>${gold(String(prose.number(1000, 90000)))}</td></tr><tr><th>${gold("Founded")}</th><td>${gold("1284")}</td></tr></tbody></table>
${paragraphs(prose, 2)}<div id="toc" class="toc"><h2>Contents</h2><ul><li><a href="#x">1 History</a></li><li><a href="#y">2 Geography</a></li></ul></div>${part("History")}${part("Geography")}<div class="navbox"><table><tr><td>${repeat(12, () => `<a href="/w">${prose.place()}</a> · `)}</td></tr></table></div></div></div><div id="catlinks"><a href="/c">Categories</a>: <a href="/c1">Towns</a></div></div>
<div id="mw-navigation"><h2>Navigation menu</h2><ul><li><a href="/m">Main page</a></li><li><a href="/r">Random article</a></li></ul></div><div id="footer"><ul><li>This page was last edited on 3 March 2026, at 10:12.</li><li>Text is available under the Creative Commons licence.</li></ul></div>`,
      );
    },
  },
  {
    name: "wiki-german",
    language: "de",
    make(prose) {
      const thing = prose.thing();
      return page(
        prose,
        `${thing} – Stadtwiki`,
        `<div class="oben"><a href="/">Stadtwiki</a> <a href="/neu">Letzte Änderungen</a></div><div class="inhalt"><h1>${gold(thing)}</h1><div class="verzeichnis"><b>Inhaltsverzeichnis</b><ol><li><a href="#a">Geschichte</a></li><li><a href="#b">Heute</a></li></ol></div>${paragraphs(prose, 2)}<h2 id="a">${gold("Geschichte")} <small>[<a href="/b">Bearbeiten</a>]</small></h2>${paragraphs(prose, 4)}<h2 id="b">${gold("Heute")} <small>[<a href="/b">Bearbeiten</a>]</small></h2>${paragraphs(prose, 3)}</div><div class="unten">Diese Seite wurde zuletzt am 3. März 2026 um 10:12 Uhr bearbeitet. <a href="/d">Datenschutz</a></div>`,
      );
    },
  },
  {
    name: "government-notice",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Bekanntmachung - Gemeinde Ostrau",
        `<div class="skip"><a href="#inhalt">Zum Inhalt springen</a></div><header role="banner"><a href="/">Gemeinde Ostrau</a><nav aria-label="Hauptmenü"><ul>${menuLinks(prose, (label) => `<li><a href="/m">${label}</a></li>`)}</ul></nav></header><div id="inhalt" role="main"><ol class="pfad"><li><a href="/">Start</a></li><li>Bekanntmachungen</li></ol><h1>${gold("Öffentliche Bekanntmachung über die Sperrung")}</h1>
${repeat(5, (index) => `<h2>${gold(`§ ${index + 1} ${prose.thing()}`)}</h2><p>${gold(prose.sentences(2))}</p><ol><li>${gold(prose.sentences(1))}</li><li>${gold(prose.sentences(1))}</li></ol>`)}<p>${gold(`${prose.place()}, den 3. März 2026`)}<br>${gold(`gez. ${prose.name()}, Bürgermeisterin`)}</p></div><aside><h2>Ansprechpartner</h2><p>${prose.name()}<br>Zimmer 12</p></aside><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
  {
    name: "opening-hours-table",
    language: "fr",
    make: (prose) =>
      page(
        prose,
        "Horaires - Mairie",
        `<div class="menu-haut">${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="bloc"><h1>${gold("Horaires et services de la mairie")}</h1>${paragraphs(prose, 2)}<table><caption>${gold("Accueil du public")}</caption><tr><th>${gold("Jour")}</th><th>${gold("Matin")}</th><th>${gold("Après-midi")}</th></tr>${["Lundi", "Mardi", "Jeudi", "Vendredi"].map((day) => `<tr><td>${gold(day)}</td><td>${gold("9h–12h")}</td><td>${gold("14h–17h")}</td></tr>`).join("")}</table><h2>${gold("Démarches")}</h2><dl>${repeat(4, () => `<dt>${gold(prose.thing())}</dt><dd>${gold(prose.sentences(1))}</dd>`)}</dl></div>
<div class="acces"><h3>Accès rapides</h3><ul>${teasers(prose, 5, (text) => `<li><a href="/a">${text}</a></li>`)}</ul></div><div class="pied">${footerLinks(prose, (label) => `<a href="/i">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "legal-terms",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Terms of use",
        `<header><a href="/">Shopfront</a> <a href="/cart">Basket (0)</a></header><div class="container"><div class="legal"><h1>${gold("Terms of use")}</h1><p>${gold("Effective from 1 March 2026.")}</p><ol>${repeat(6, () => `<li><strong>${gold(prose.title())}.</strong> ${gold(prose.sentences(2))}<ol type="a"><li>${gold(prose.sentences(1))}</li><li>${gold(prose.sentences(1))}</li></ol></li>`)}</ol></div></div><footer><p>${words.en.newsletter}</p>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}<p>© 2026 Shopfront</p></footer>`,
      ),
  },
  {
    name: "release-notes",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Changelog",
        `<nav class="top">${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</nav><div class="page"><h1>${gold("Changelog")}</h1>${repeat(5, (index) => `<div class="version"><h2>${gold(`3.${9 - index}.0`)}</h2><time>${gold(`2026-0${index + 1}-03`)}</time><h3>${gold("Added")}</h3><ul><li>${gold(prose.sentences(1))}</li><li>${gold(prose.sentences(1))}</li></ul><h3>${gold("Fixed")}</h3><ul><li>${gold(`${prose.sentences(1)} (#${prose.number(100, 999)})`)}</li></ul></div>`)}</div><div class="foot">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "support-article",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Reset your device – Help Center",
        `<header class="header"><a href="/hc">Help Center</a><a href="/requests/new">Submit a request</a></header><main role="main"><div class="container"><nav class="sub-nav"><ol class="breadcrumbs"><li><a href="/">Help</a></li><li><a href="/d">Devices</a></li></ol></nav><div class="article-container"><aside class="article-sidebar"><h3>Articles in this section</h3><ul>${teasers(prose, 7, (text) => `<li><a href="/a">${text}</a></li>`)}</ul></aside>
<article class="article"><header><h1>${gold("Reset your device")}</h1><div class="meta"><span>Updated 2 days ago</span></div></header><section class="article-body">${paragraphs(prose, 2)}<ol>${repeat(5, () => `<li>${gold(prose.sentences(1))}</li>`)}</ol><div class="callout">${gold(prose.sentences(1))}</div>${paragraphs(prose, 2)}</section><footer><div class="votes">Was this article helpful? <button>Yes</button> 41 out of 63 found this helpful</div></footer><div class="more">Have more questions? <a href="/r">Submit a request</a></div></article><section class="related"><h3>Related articles</h3><ul>${teasers(prose, 4, (text) => `<li><a href="/x">${text}</a></li>`)}</ul></section></div></div></main><footer class="footer"><a href="/">Help Center</a></footer>`,
      ),
  },
  {
    name: "glossary",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Glossar",
        `<div class="kopf"><a href="/">Wasserwerk</a>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="seite"><h1>${gold("Glossar")}</h1><p class="az">${[..."ABCDEFGH"].map((letter) => `<a href="#${letter}">${letter}</a>`).join(" ")}</p><dl>${repeat(9, () => `<dt>${gold(prose.thing())}</dt><dd>${gold(prose.sentences(2))}</dd>`)}</dl></div><div class="fuss">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "statistics-tables",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Water use by district",
        `<div id="banner"><a href="/">Office of figures</a></div><div id="menu"><ul>${menuLinks(prose, (label) => `<li><a href="/m">${label}</a></li>`)}</ul></div><div id="main-col"><h1>${gold("Water use by district")}</h1>${paragraphs(prose, 2)}${repeat(2, () => `<table class="data"><caption>${gold(prose.title())}</caption><thead><tr><th>${gold("District")}</th><th>${gold("2024")}</th><th>${gold("2025")}</th></tr></thead><tbody>${repeat(8, () => `<tr><td>${gold(prose.place())}</td><td>${gold(String(prose.number(1000, 9999)))}</td><td>${gold(String(prose.number(1000, 9999)))}</td></tr>`)}</tbody></table>${paragraphs(prose, 2)}`)}<p class="source">${gold(`Source: ${prose.sentences(1)}`)}</p></div><div id="base">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
];
