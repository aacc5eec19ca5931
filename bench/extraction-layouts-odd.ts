import type { Layout } from "./extraction-layouts-press.ts";
import { footerLinks, gold, menuLinks, page, paragraphs, repeat, teasers, words } from "./extraction-parts.ts";

/** What is old, bare, very short or put together from tables. */
export const oddLayouts: Layout[] = [
  {
    name: "nineties-breaks",
    language: "en",
    make: (prose) =>
      `<html><head><title>The ${prose.thing()} page</title></head><body bgcolor="#ffffff"><center><font size="6">${gold(`The ${prose.thing()} of ${prose.place()}`)}</font><br><a href="index.html">Home</a> | <a href="links.html">Links</a> | <a href="guest.html">Guestbook</a></center><hr>${repeat(6, () => `${gold(prose.sentences(4))}<br><br>`)}<hr><font size="1">You are visitor 004512. Best viewed at 800x600. <a href="mailto:x@example.org">Webmaster</a></font></body></html>`,
  },
  {
    name: "table-layout",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "History of the society",
        `<table width="760" cellpadding="0"><tr><td colspan="3"><img src="/head.gif" alt="Society"></td></tr><tr><td width="140" valign="top">${menuLinks(prose, (label) => `<a href="/m">${label}</a><br>`)}</td><td valign="top"><h2>${gold("History of the society")}</h2>${paragraphs(prose, 5)}</td><td width="120" valign="top"><b>News</b><br>${teasers(prose, 4, (text) => `<a href="/n">${text}</a><br><br>`)}</td></tr><tr><td colspan="3" align="center">© 1998-2026 Society. ${words.en.search}</td></tr></table>`,
      ),
  },
  {
    name: "newsletter-nested-tables",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Rundbrief März",
        `<table width="100%"><tr><td align="center"><table width="600"><tr><td><a href="/online">Im Browser ansehen</a></td></tr><tr><td><h1>${gold("Rundbrief im März")}</h1></td></tr>${repeat(4, () => `<tr><td><table><tr><td><img src="/b.jpg" alt=""></td><td><b>${gold(prose.title())}</b><br>${gold(prose.sentences(3))}<br><a href="/w">Weiterlesen</a></td></tr></table></td></tr>`)}<tr><td><small>Sie erhalten diese Nachricht, weil Sie sich angemeldet haben. <a href="/ab">Abmelden</a></small></td></tr></table></td></tr></table>`,
      ),
  },
  {
    name: "short-notice",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Closed on Monday",
        `<header><a href="/">Town library</a><nav><ul>${menuLinks(prose, (label) => `<li><a href="/m">${label}</a></li>`)}</ul></nav></header><main><h1>${gold("Closed on Monday")}</h1><p>${gold(prose.sentences(2))}</p></main><aside><h2>Events</h2>${teasers(prose, 6, (text, lead) => `<article><h3><a href="/e">${text}</a></h3><p>${lead}</p></article>`)}</aside><footer><p>${words.en.newsletter}</p>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
  {
    name: "short-notice-divs",
    language: "fr",
    make: (prose) =>
      page(
        prose,
        "Fermeture",
        `<div class="k1">${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="k2"><div class="k3"><h2>${gold("Fermeture exceptionnelle")}</h2><div>${gold(prose.sentences(3))}</div></div><div class="k4"><h3>Agenda</h3>${teasers(prose, 7, (text) => `<div><a href="/e">${text}</a></div>`)}</div></div><div class="k5">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "lyrics",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "The ferry song",
        `<div class="top"><a href="/">Songbook</a> ${[..."ABCDEFGHIJ"].map((letter) => `<a href="/${letter}">${letter}</a>`).join(" ")}</div><div class="main-page"><h1>${gold("The ferry song")}</h1><div class="lyric">${repeat(5, () => `<p>${gold(repeat(4, () => `${prose.sentences(1)}<br>`))}</p>`)}</div><div class="opts"><a href="/print">Print</a> <a href="/fix">Submit corrections</a></div></div><div class="album"><h4>More songs</h4>${teasers(prose, 6, (text) => `<a href="/s">${text}</a><br>`)}</div><div class="credits">All lyrics are property of their owners.</div>`,
      ),
  },
  {
    name: "listing-page-tips",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Nine ways to save water",
        `<div class="g-header"><a href="/">Better homes</a>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="g-article"><h1>${gold("Nine ways to save water")}</h1><div class="g-by">By ${prose.name()} | Updated 3 March 2026</div><p>${gold(prose.sentences(2))}</p>${repeat(9, (index) => `<h2>${gold(`${index + 1}. ${prose.title()}`)}</h2><img src="/t.jpg" alt=""><p>${gold(prose.sentences(2))}</p>${index % 3 === 2 ? `<div class="g-rel"><a href="/r"><strong>RELATED:</strong> ${prose.title()}</a></div>` : ""}`)}</div><div class="g-rec"><h4>You may also like</h4>${teasers(prose, 6, (text) => `<div><a href="/y">${text}</a><small>Sponsored</small></div>`)}</div><div class="g-foot">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "code-tutorial",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Messwerte lesen mit Python",
        `<nav class="navbar navbar-expand"><a class="navbar-brand" href="/">Technikblog</a><ul class="navbar-nav">${menuLinks(prose, (label) => `<li class="nav-item"><a class="nav-link" href="/m">${label}</a></li>`)}</ul></nav><div class="container"><div class="row"><div class="col-md-8"><h1>${gold("Messwerte lesen mit Python")}</h1><p class="text-muted">3. März 2026 · 8 Minuten</p>${paragraphs(prose, 2)}<pre><code>${gold("import csv\n\nwith open('werte.csv') as datei:\n    for zeile in csv.reader(datei):\n        print(zeile)")}</code></pre>${paragraphs(prose, 2)}<h2>${gold("Fehler abfangen")}</h2>${paragraphs(prose, 1)}<pre><code>${gold("try:\n    wert = float(zeile[1])\nexcept ValueError:\n    wert = None")}</code></pre>${paragraphs(prose, 2)}</div><div class="col-md-4"><div class="card"><div class="card-header">Kategorien</div><ul class="list-group">${teasers(prose, 6, (text) => `<li class="list-group-item"><a href="/k">${text}</a></li>`)}</ul></div></div></div></div><footer class="py-4"><p>© 2026 Technikblog</p></footer>`,
      ),
  },
  {
    name: "faculty-page",
    language: "en",
    make: (prose) =>
      page(
        prose,
        `${prose.name()} - Department of Hydraulics`,
        `<div id="header"><a href="/">University of ${prose.place()}</a></div><div id="nav"><ul>${menuLinks(prose, (label) => `<li><a href="/m">${label}</a></li>`)}</ul></div><div id="body"><h1>${gold(prose.name())}</h1><p>${gold("Professor of Hydraulics, room 214, office hours Tuesday 2 pm")}</p>${paragraphs(prose, 2)}<h2>${gold("Publications")}</h2><ol>${repeat(8, (index) => `<li>${gold(`${prose.name()} and ${prose.name()}. ${prose.title()}. Journal of Water ${30 - index} (20${24 - index}), ${prose.number(1, 400)}–${prose.number(401, 800)}.`)} [<a href="/p.pdf">PDF</a>] [<a href="/b">BibTeX</a>]</li>`)}</ol></div><div id="foot">Contact the webmaster. ${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "podcast-notes",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Episode 41",
        `<header><a href="/">The long pipe</a><nav>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</nav></header><div class="episode"><h1>${gold(`Episode 41: ${prose.title()}`)}</h1><audio controls src="/41.mp3"></audio><div class="subscribe">Listen on <a href="/a">Apple</a> <a href="/s">Spotify</a></div>${paragraphs(prose, 2)}<h3>${gold("Chapters")}</h3><ul>${repeat(6, (index) => `<li>${gold(`${index * 7}:12 ${prose.title()}`)}</li>`)}</ul><h3>${gold("Transcript")}</h3>${repeat(8, () => `<p><b>${gold(`${prose.name()}:`)}</b> ${gold(prose.sentences(2))}</p>`)}</div><div class="prev-next"><a href="/40">Episode 40</a> <a href="/42">Episode 42</a></div><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
  {
    name: "real-estate",
    language: "fr",
    make: (prose) =>
      page(
        prose,
        "Maison à vendre",
        `<div class="entete"><a href="/">Immo Valcourt</a>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="annonce"><h1>${gold(`Maison à ${prose.place()}, 5 pièces, 120 m²`)}</h1><div class="prix">295 000 €</div><div class="desc">${gold(prose.sentences(5))}</div><h2>${gold("Caractéristiques")}</h2><ul>${repeat(6, () => `<li>${gold(`${prose.thing()} : ${prose.number(1, 300)} m²`)}</li>`)}</ul></div><form class="contact"><h3>Contacter l’agence</h3><label>Nom</label><input><button>Envoyer</button></form><div class="similaires"><h3>Annonces similaires</h3>${teasers(prose, 4, (text, lead) => `<div><a href="/a">${text}</a><p>${lead}</p></div>`)}</div>`,
      ),
  },
  {
    name: "review-box",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Breath 5 review",
        `<div class="mast"><a href="/">Gadget desk</a>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><article><div class="hed"><h1>${gold("Breath 5 review")}</h1><h2>${gold(prose.sentences(1))}</h2></div><div class="author">By <a href="/a">${prose.name()}</a> published March 3, 2026</div><p class="aff">When you purchase through links on our site, we may earn a commission. <a href="/how">Here’s how it works</a>.</p><div class="verdict"><h3>${gold("Verdict")}</h3><p>${gold(prose.sentences(2))}</p><h4>${gold("Pros")}</h4><ul><li>${gold(prose.sentences(1))}</li></ul><h4>${gold("Cons")}</h4><ul><li>${gold(prose.sentences(1))}</li></ul></div>${paragraphs(prose, 4)}<div class="newsletter-inline"><h4>Get our newsletter</h4><p>${words.en.newsletter}</p></div><h2>${gold("Battery")}</h2>${paragraphs(prose, 3)}</article><div class="topics"><a href="/t">Pumps</a></div><div class="popular"><h3>Most popular</h3>${teasers(prose, 5, (text, lead) => `<div><a href="/p"><h4>${text}</h4></a><p>${lead}</p></div>`)}</div><div class="ft">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
];
