import type { Layout } from "./extraction-layouts-press.ts";
import { footerLinks, gold, menuLinks, page, paragraphs, repeat, teasers, words } from "./extraction-parts.ts";
import type { Prose } from "./extraction-prose.ts";

const specification = (prose: Prose, rows: number) =>
  repeat(
    rows,
    (index) => `<tr><th>${gold(`${prose.thing()} ${index}`)}</th><td>${gold(`${prose.number(1, 90)} mm`)}</td></tr>`,
  );

const cards = (prose: Prose, count: number, price: string) =>
  repeat(
    count,
    () =>
      `<li class="card"><a href="/p"><img src="/p.jpg" alt=""><span>${prose.thing()} ${prose.number(1, 9)}</span></a><span>${price}</span><button>Add</button></li>`,
  );

/** Shops, forums, offers and the pages of associations: what many people write into one frame. */
export const communityLayouts: Layout[] = [
  {
    name: "shop-product",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Drip 3 pump | Shopfront",
        `<header><a href="/">Shopfront</a><form><input type="search"></form><a href="/cart">Basket (0)</a><nav>${menuLinks(prose, (label) => `<a href="/c">${label}</a>`)}</nav></header><main><ol class="crumbs"><li><a href="/">Home</a></li><li><a href="/pumps">Pumps</a></li></ol><div class="product"><div class="gallery"><img src="/1.jpg" alt=""></div><div class="buy"><h1>${gold("Drip 3 pump")}</h1><div class="rating"><a href="#r">4.6 (128)</a></div><p class="price">€129.00</p><ul>${repeat(4, () => `<li>${gold(prose.sentences(1))}</li>`)}</ul><button>Add to basket</button><p>In stock, delivered tomorrow</p></div></div>
<section><h2>${gold("Description")}</h2>${paragraphs(prose, 3)}</section><section><h2>${gold("Specification")}</h2><table>${specification(prose, 7)}</table></section><section class="also"><h2>Customers also bought</h2><ul>${cards(prose, 6, "€19.00")}</ul></section></main><footer><p>${words.en.newsletter}</p>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
  {
    name: "shop-product-divs",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Handpumpe HP 20",
        `<div class="h1"><div class="h2"><a href="/">Pumpenhaus</a> <a href="/konto">${words.de.login}</a></div></div><div class="n1">${menuLinks(prose, (label) => `<a href="/k">${label}</a>`)}</div><div class="b1"><div class="b2"><span class="t">${gold("Handpumpe HP 20")}</span><div class="pr">89,00 € inkl. MwSt.</div><div class="btn">In den Warenkorb</div><div class="tx">${gold(prose.sentences(4))}</div><div class="tx">${gold(prose.sentences(4))}</div><table>${specification(prose, 5)}</table></div></div><div class="x1"><div>Das könnte Ihnen auch gefallen</div><ul>${cards(prose, 5, "12,90 €")}</ul></div><div class="f1">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "forum-thread",
    language: "en",
    make(prose) {
      const post = (index: number) =>
        `<div class="post" id="p${index}"><div class="postprofile"><a href="/u">${prose.name()}</a><br>Posts: ${prose.number(1, 900)}<br>Joined: 3 May 2019</div><div class="postbody"><p class="author"><a href="#p${index}">#${index + 1}</a> 3 March 2026, 10:0${index}</p><div class="content">${gold(prose.sentences(prose.number(2, 6)))}</div><div class="signature">${prose.pick(["Patience wins.", "Measure twice.", "Sent from my phone"])}</div><ul class="post-buttons"><li><a href="/q">Quote</a></li><li><a href="/r">Report</a></li></ul></div></div>`;
      return page(
        prose,
        "Pump runs dry - Workshop forum",
        `<div class="headerbar"><a href="/">Workshop forum</a><ul><li><a href="/faq">FAQ</a></li><li><a href="/login">Login</a></li></ul></div><div id="page-body"><ul class="breadcrumbs"><li><a href="/">Board index</a></li><li><a href="/f">Pumps</a></li></ul><h2 class="topic-title">${gold("Pump runs dry after a minute")}</h2><div class="pagination">6 posts • Page 1 of 1</div>${repeat(6, post)}<div class="online">Who is online: no registered users and 4 guests</div></div><div class="footer">Powered by phpBB</div>`,
      );
    },
  },
  {
    name: "forum-thread-table",
    language: "de",
    make(prose) {
      const post = (index: number) =>
        `<tr><td valign="top" width="150"><b>${prose.name()}</b><br><small>Mitglied seit 2014<br>Beiträge: ${prose.number(3, 999)}</small></td><td><small>Verfasst am 3. März 2026, 1${index}:05</small><hr>${gold(prose.sentences(prose.number(2, 5)))}<br><br><a href="/z">Zitieren</a></td></tr>`;
      return page(
        prose,
        "Pumpe zieht Luft - Forum",
        `<center><table width="95%"><tr><td><a href="/">Forum</a> :: <a href="/s">Suchen</a> :: <a href="/m">Mitglieder</a> :: <a href="/l">Anmelden</a></td></tr></table><table width="95%"><tr><td colspan="2"><b>${gold("Pumpe zieht Luft")}</b></td></tr>${repeat(5, post)}</table><table width="95%"><tr><td>Alle Zeiten sind GMT + 1</td></tr></table></center>`,
      );
    },
  },
  {
    name: "question-answers",
    language: "en",
    make(prose) {
      const answer = (index: number) =>
        `<div class="answer" data-score="${index}"><div class="votecell"><button>▲</button><span>${prose.number(0, 90)}</span><button>▼</button></div><div class="answercell"><div class="s-prose js-post-body">${paragraphs(prose, 2)}<pre><code>${gold(`pumpctl prime --bar ${index}.5`)}</code></pre></div><div class="mt"><a href="/s">Share</a> <a href="/i">Improve this answer</a> answered Mar 3 at 10:1${index} <a href="/u">${prose.name()}</a></div></div></div>`;
      return page(
        prose,
        "How to prime a pump? - Ask",
        `<header class="s-topbar"><a href="/">Ask</a><a href="/login">Log in</a></header><div class="container"><div id="left-sidebar"><ul><li><a href="/">Home</a></li><li><a href="/q">Questions</a></li><li><a href="/t">Tags</a></li></ul></div><div id="content"><div id="question-header"><h1>${gold("How to prime a pump without a second person?")}</h1></div><div class="asked">Asked 3 days ago · Viewed 1k times</div><div id="mainbar"><div class="question"><div class="votecell">12</div><div class="s-prose">${paragraphs(prose, 2)}</div><div class="tags"><a href="/t">pump</a> <a href="/t">valve</a></div></div><h2>3 Answers</h2>${repeat(3, answer)}<div class="post-form"><h2>Your Answer</h2><textarea></textarea></div></div>
<div id="sidebar"><h4>Related</h4>${teasers(prose, 8, (text) => `<div><a href="/q">${text}</a></div>`)}<h4>Hot Network Questions</h4><ul>${teasers(prose, 6, (text) => `<li><a href="/h">${text}?</a></li>`)}</ul></div></div></div><footer>site design / logo © 2026</footer>`,
      );
    },
  },
  {
    name: "recipe",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Harbour stew | Cook it",
        `<div class="site-container"><header class="site-header"><a href="/">Cook it</a></header><nav class="nav-primary"><ul>${menuLinks(prose, (label) => `<li><a href="/m">${label}</a></li>`)}</ul></nav><div class="content-sidebar-wrap"><main class="content"><article class="entry"><h1>${gold("Harbour stew")}</h1><p class="disclosure">This post may contain affiliate links. See our policy.</p><a class="jump" href="#r">Jump to recipe</a>${paragraphs(prose, 4)}
<div id="r" class="recipe"><h2>${gold("Harbour stew")}</h2><div class="times">${gold("Preparation 20 minutes, cooking 40 minutes, serves 4")}</div><h3>${gold("Ingredients")}</h3><ul>${repeat(7, () => `<li><input type="checkbox"> ${gold(`${prose.number(50, 500)} g ${prose.thing()} root`)}</li>`)}</ul><h3>${gold("Instructions")}</h3><ol>${repeat(5, () => `<li>${gold(prose.sentences(1))}</li>`)}</ol><p>${gold(`Note: ${prose.sentences(1)}`)}</p></div></article><div class="comments"><h3>Comments</h3>${repeat(3, () => `<div><b>${prose.name()}</b> <span>★★★★★</span><p>${prose.sentences(1)}</p></div>`)}</div></main><aside class="sidebar"><h3>Hi, I am Joan!</h3><p>${prose.sentences(1)}</p><h3>Popular</h3><ul>${teasers(prose, 5, (text) => `<li><a href="/p">${text}</a></li>`)}</ul></aside></div><footer>© 2026 Cook it</footer></div>`,
      ),
  },
  {
    name: "recipe-french",
    language: "fr",
    make: (prose) =>
      page(
        prose,
        "Soupe du port",
        `<div class="bandeau">${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div><div class="recette"><h1>${gold("Soupe du port")}</h1><div class="infos">${gold("Préparation : 20 min, cuisson : 40 min, 4 personnes")}</div><div class="bloc"><h2>${gold("Ingrédients")}</h2>${repeat(6, () => `<div class="ing">${gold(`${prose.number(50, 500)} g de ${prose.thing()}`)}</div>`)}</div><div class="bloc"><h2>${gold("Préparation")}</h2>${repeat(5, (index) => `<div class="etape"><b>${gold(`Étape ${index + 1}`)}</b><p>${gold(prose.sentences(1))}</p></div>`)}</div></div><div class="avis"><h2>Avis (12)</h2>${repeat(3, () => `<p>${prose.name()} : ${prose.sentences(1)}</p>`)}</div><div class="autres"><h2>${words.fr.more}</h2>${teasers(prose, 6, (text) => `<a href="/r">${text}</a>`)}</div>`,
      ),
  },
  {
    name: "landing-page",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Pumpd - water without worry",
        `<div class="cookie">${words.en.cookies} <button>OK</button></div><header><a href="/">Pumpd</a>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}<a class="cta" href="/try">Try it free</a></header><section class="hero"><h1>${gold("Water without worry")}</h1><p>${gold(prose.sentences(1))}</p><a class="cta" href="/try">Get started</a></section><section class="features">${repeat(6, () => `<div class="feature"><h3>${gold(prose.title())}</h3><p>${gold(prose.sentences(1))}</p></div>`)}</section>
<section class="quotes">${repeat(3, () => `<blockquote><p>${gold(prose.sentences(1))}</p><cite>${gold(prose.name())}</cite></blockquote>`)}</section><section class="faq"><h2>${gold("Questions")}</h2>${repeat(4, () => `<details><summary>${gold(`${prose.title()}?`)}</summary><p>${gold(prose.sentences(2))}</p></details>`)}</section><section class="join"><h2>Ready?</h2><a class="cta" href="/try">Start now</a></section><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
  {
    name: "job-posting",
    language: "de",
    make: (prose) =>
      page(
        prose,
        "Stelle: Pumpenwart (m/w/d)",
        `<div class="_a1"><a href="/">Stellenmarkt</a><div class="_a2">${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</div></div><div class="_b1"><h1>${gold("Pumpenwart (m/w/d)")}</h1><div class="_b2">${gold(`Wasserwerk ${prose.place()}, Vollzeit, unbefristet`)}</div><button>Jetzt bewerben</button>${paragraphs(prose, 1)}${["Ihre Aufgaben", "Ihr Profil", "Wir bieten"].map((title) => `<h3>${gold(title)}</h3><ul>${repeat(4, () => `<li>${gold(prose.sentences(1))}</li>`)}</ul>`).join("")}<p>${gold(`Fragen beantwortet ${prose.name()} unter 03341 ${prose.number(1000, 9999)}.`)}</p><button>Merken</button></div><div class="_c1"><h4>Ähnliche Stellen</h4>${teasers(prose, 6, (text) => `<div class="_c2"><a href="/j">${text}</a><span>vor 3 Tagen</span></div>`)}</div><div class="_d1">${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</div>`,
      ),
  },
  {
    name: "event-page",
    language: "en",
    make: (prose) =>
      page(
        prose,
        "Open day at the reservoir",
        `<header class="hd"><a href="/">Waterways trust</a><nav>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</nav></header><div class="event"><h1>${gold("Open day at the reservoir")}</h1><dl><dt>${gold("When")}</dt><dd>${gold("Saturday 14 March 2026, 10 am to 4 pm")}</dd><dt>${gold("Where")}</dt><dd>${gold(`The old pump house, ${prose.place()}`)}</dd></dl>${paragraphs(prose, 2)}<h2>${gold("Programme")}</h2><table>${repeat(5, (index) => `<tr><td>${gold(`1${index}.00`)}</td><td>${gold(prose.sentences(1))}</td></tr>`)}</table><a class="btn" href="/book">Book a place</a><div class="cal"><a href="/ics">Add to calendar</a></div></div><div class="others"><h3>Other events</h3>${teasers(prose, 4, (text, lead) => `<div><b><a href="/e">${text}</a></b> ${lead}</div>`)}</div><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      ),
  },
];
