import { footerLinks, gold, menuLinks, page, paragraphs, repeat, teasers, words } from "./extraction-parts.ts";
import type { Language, Prose } from "./extraction-prose.ts";

/** Layouts of one kind of page: how it is marked up, and in which language. */
export type Layout = { name: string; language: Language; make(prose: Prose): string };

const photo = (prose: Prose) =>
  `<figure class="photo"><img src="/i/1.jpg" alt="" width="800"><figcaption>${gold(prose.sentences(1))} <span class="credit">Photo: ${prose.name()}/Agency</span></figcaption></figure>`;

/** Newspapers, blogs and what else is written to be read from top to bottom. */
export const pressLayouts: Layout[] = [
  {
    name: "news-semantic",
    language: "en",
    make(prose) {
      const title = prose.title();
      return page(
        prose,
        `${title} | The Daily Ledger`,
        `<header><a href="/">The Daily Ledger</a><nav><ul>${menuLinks(prose, (label) => `<li><a href="/s">${label}</a></li>`)}</ul></nav></header>
<main><article><nav class="crumbs"><a href="/">Home</a> › <a href="/local">Local</a></nav><h1>${gold(title)}</h1><p class="standfirst">${gold(prose.sentences(2))}</p>
<p class="byline">By <a href="/a">${prose.name()}</a>, <time>3 March 2026, 07:12</time></p><div class="share"><button>Facebook</button><button>Copy link</button></div>
${photo(prose)}${paragraphs(prose, 4)}<aside><h3>More stories</h3><ul>${teasers(prose, 4, (text) => `<li><a href="/x">${text}</a></li>`)}</ul></aside>${paragraphs(prose, 5)}
<h2>${gold("What happens next")}</h2>${paragraphs(prose, 3)}<ul class="tags"><li><a href="/t">Council</a></li><li><a href="/t">Repairs</a></li></ul></article>
<section><h2>Most read</h2>${teasers(prose, 6, (text, lead) => `<div><h3><a href="/y">${text}</a></h3><p>${lead}</p></div>`)}</section></main>
<footer><ul>${footerLinks(prose, (label) => `<li><a href="/f">${label}</a></li>`)}</ul><p>© 2026 The Daily Ledger Ltd</p></footer>`,
      );
    },
  },
  {
    name: "news-hashed-divs",
    language: "en",
    make(prose) {
      const title = prose.title();
      return page(
        prose,
        title,
        `<div id="__next"><div class="css-1x7qk"><div class="css-9ab2"><a href="/">Ledger</a><div class="css-33f">${menuLinks(prose, (label) => `<a class="css-p0" href="/s">${label}</a>`)}</div></div>
<div class="css-k21"><div class="css-z8"><h1 class="css-h1a">${gold(title)}</h1><div class="css-q2">${prose.name()} · 5 min read</div>${paragraphs(prose, 3)}
<div class="css-ad1"><div>Advertisement</div></div>${paragraphs(prose, 4)}<div class="css-nl"><div>${words.en.newsletter}</div><button>Sign up</button></div>${paragraphs(prose, 3)}</div>
<div class="css-rail">${teasers(prose, 8, (text, lead) => `<div class="css-t"><a href="/z"><div class="css-tt">${text}</div><div class="css-tl">${lead}</div></a></div>`)}</div></div>
<div class="css-ft">${footerLinks(prose, (label) => `<a class="css-fl" href="/f">${label}</a>`)}</div></div></div>`,
      );
    },
  },
  {
    name: "news-cookie-wall",
    language: "de",
    make(prose) {
      const title = prose.title();
      return page(
        prose,
        `${title} - Ostrauer Bote`,
        `<div id="cmp" role="dialog" aria-modal="true"><h2>Ihre Privatsphäre</h2><p>${words.de.cookies}</p><p>${words.de.cookies}</p><button>${words.de.accept}</button><button>Einstellungen</button></div>
<div class="wrapper"><div class="topbar"><a href="/">Ostrauer Bote</a> <a href="/abo">Abo</a> <a href="/login">${words.de.login}</a></div><ul class="nav-main">${menuLinks(prose, (label) => `<li><a href="/r">${label}</a></li>`)}</ul>
<div class="article-page"><div class="article-head"><span class="kicker">${gold("Stadtrat")}</span><h1>${gold(title)}</h1></div><div class="article-body"><p class="lead"><strong>${gold(prose.sentences(2))}</strong></p>${paragraphs(prose, 3)}
<div class="inline-teaser"><span>${words.de.read}</span> <a href="/w">${prose.title()}</a></div>${paragraphs(prose, 3)}<h3>${gold("Wie es weitergeht")}</h3>${paragraphs(prose, 3)}</div>
<div class="article-more"><h4>${words.de.more}</h4>${teasers(prose, 5, (text, lead) => `<div class="teaser"><a href="/v"><b>${text}</b></a><p>${lead}</p></div>`)}</div></div>
<div class="bottom">${footerLinks(prose, (label) => `<a href="/i">${label}</a> | `)}</div></div>`,
      );
    },
  },
  {
    name: "news-live-blog",
    language: "en",
    make(prose) {
      const title = prose.title();
      const entry = (index: number) =>
        `<div class="entry" id="e${index}"><div class="entry-time"><time>1${9 - (index % 9)}:0${index % 6}</time></div><h3>${gold(prose.title())}</h3>${paragraphs(prose, 2)}<div class="entry-tools"><a href="#e${index}">Link</a> <a href="/share">Share</a></div></div>`;
      return page(
        prose,
        `${title}: live`,
        `<header class="site-header"><div class="logo"><a href="/">Ledger live</a></div><nav>${menuLinks(prose, (label) => `<a href="/s">${label}</a>`)}</nav></header>
<div class="content"><h1>${gold(title)}</h1><div class="summary"><h2>${gold("Key points")}</h2><ul><li>${gold(prose.sentences(1))}</li><li>${gold(prose.sentences(1))}</li></ul></div><div class="stream">${repeat(7, entry)}</div>
<div class="sidebar"><h4>Watch</h4>${teasers(prose, 5, (text) => `<a href="/v">${text}</a>`)}</div></div><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      );
    },
  },
  {
    name: "news-related-inside",
    language: "fr",
    make(prose) {
      const title = prose.title();
      const box = () =>
        `<div class="encart"><p><strong>${words.fr.read}</strong> <a href="/e">${prose.title()}</a></p><ul>${teasers(prose, 2, (text) => `<li><a href="/f">${text}</a></li>`)}</ul></div>`;
      return page(
        prose,
        `${title} – Le Courrier`,
        `<header><p class="titre-site"><a href="/">Le Courrier</a></p><nav><ul>${menuLinks(prose, (label) => `<li><a href="/r">${label}</a></li>`)}</ul></nav></header>
<article class="article"><header><h1>${gold(title)}</h1><p class="chapo">${gold(prose.sentences(2))}</p><p class="signature">${words.fr.by} ${prose.name()}. Publié le 3 mars 2026 à 9h12</p></header><div class="texte">${paragraphs(prose, 3)}${box()}${paragraphs(prose, 3)}${box()}<h2>${gold("Un chantier sans fin")}</h2>${paragraphs(prose, 3)}</div>
<p class="abonnement">Cet article est réservé à nos abonnés. <a href="/abo">S’abonner</a></p></article><section class="commentaires"><h2>${words.fr.comments} (3)</h2>${repeat(3, () => `<div><b>${prose.name()}</b><p>${prose.sentences(1)}</p><a href="#">${words.fr.reply}</a></div>`)}</section>
<footer>${footerLinks(prose, (label) => `<a href="/i">${label}</a>`)}</footer>`,
      );
    },
  },
  {
    name: "blog-wordpress-comments",
    language: "en",
    make(prose) {
      const title = prose.title();
      const comment = () =>
        `<li class="comment"><div class="comment-body"><div class="comment-author vcard"><cite class="fn">${prose.name()}</cite> <span class="says">says:</span></div><div class="comment-meta"><a href="#c">March 4, 2026 at 8:41 am</a></div><p>${prose.sentences(2)}</p><div class="reply"><a href="#r">${words.en.reply}</a></div></div></li>`;
      return page(
        prose,
        `${title} – Notes from ${prose.place()}`,
        `<div id="page" class="site"><header id="masthead" class="site-header"><p class="site-title"><a href="/">Notes from the yard</a></p><p class="site-description">Repairs and other reasons</p><nav id="site-navigation" class="main-navigation"><ul id="primary-menu">${menuLinks(prose, (label) => `<li class="menu-item"><a href="/p">${label}</a></li>`)}</ul></nav></header>
<div id="content"><div id="primary" class="content-area"><main id="main" class="site-main"><article class="post hentry"><header class="entry-header"><h1 class="entry-title">${gold(title)}</h1><div class="entry-meta">Posted on <a href="/d"><time>March 3, 2026</time></a> by <a href="/u">${prose.name()}</a></div></header>
<div class="entry-content">${paragraphs(prose, 3)}<blockquote><p>${gold(prose.sentences(2))}</p></blockquote>${paragraphs(prose, 3)}<div class="sharedaddy"><h3>Share this:</h3><ul><li><a href="/t">Twitter</a></li><li><a href="/fb">Facebook</a></li></ul></div></div><footer class="entry-footer">Posted in <a href="/c">Repairs</a> Tagged <a href="/g">winter</a></footer></article>
<nav class="post-navigation"><a href="/prev">← ${prose.title()}</a> <a href="/next">${prose.title()} →</a></nav><div id="comments" class="comments-area"><h2 class="comments-title">4 thoughts on “${title}”</h2><ol class="comment-list">${repeat(4, comment)}</ol><div id="respond"><h3>Leave a Reply</h3><form><p>Your email address will not be published.</p><textarea></textarea></form></div></div></main></div>
<aside id="secondary" class="widget-area"><section class="widget"><h2>Recent Posts</h2><ul>${teasers(prose, 5, (text) => `<li><a href="/q">${text}</a></li>`)}</ul></section><section class="widget"><h2>Archives</h2><ul><li><a href="/a">March 2026</a></li><li><a href="/a">February 2026</a></li></ul></section></aside></div><footer id="colophon" class="site-footer">Proudly powered by WordPress</footer></div>`,
      );
    },
  },
  {
    name: "blog-plain",
    language: "de",
    make(prose) {
      const title = prose.title();
      return page(
        prose,
        title,
        `<div id="wrap"><div id="head"><h2><a href="/">Werkstattnotizen</a></h2></div><div id="left">${paragraphs(prose, 0)}<div class="eintrag"><h1>${gold(title)}</h1><span class="datum">3. März 2026</span>${paragraphs(prose, 6)}<pre>${gold("sudo systemctl restart pumpe.service")}</pre>${paragraphs(prose, 2)}</div>
<div class="kommentare"><h3>2 ${words.de.comments}</h3>${repeat(2, () => `<div class="k"><b>${prose.name()}</b> am 4. März 2026<br>${prose.sentences(2)}</div>`)}</div></div><div id="right"><h3>Archiv</h3><ul><li><a href="/1">März 2026</a></li><li><a href="/2">Februar 2026</a></li></ul><h3>Über mich</h3><p>${prose.sentences(1)}</p></div></div>`,
      );
    },
  },
  {
    name: "long-read-pull-quotes",
    language: "en",
    make(prose) {
      const title = prose.title();
      const part = (index: number) =>
        `<section class="chapter"><h2>${gold(`Part ${index + 1}: ${prose.title()}`)}</h2>${paragraphs(prose, 4)}<figure class="full"><img src="/p.jpg" alt=""><figcaption>${gold(prose.sentences(1))}</figcaption></figure>${paragraphs(prose, 3)}<div class="signup"><p>${words.en.newsletter}</p><form><input type="email"><button>Subscribe</button></form></div></section>`;
      return page(
        prose,
        title,
        `<div class="progress"></div><header class="hero"><h1>${gold(title)}</h1><p class="dek">${gold(prose.sentences(1))}</p><p class="credits">Words by ${prose.name()}, photographs by ${prose.name()}</p></header><div class="story">${repeat(3, part)}</div>
<section class="bio"><h3>About the author</h3><p>${prose.sentences(1)}</p></section><section class="next"><h3>Keep reading</h3>${teasers(prose, 3, (text, lead) => `<a class="card" href="/n"><h4>${text}</h4><p>${lead}</p></a>`)}</section><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}</footer>`,
      );
    },
  },
  {
    name: "interview",
    language: "fr",
    make(prose) {
      const title = prose.title();
      return page(
        prose,
        title,
        `<div class="bandeau"><a href="/">Radio Valcourt</a> ${menuLinks(prose, (label) => `<a href="/r">${label}</a>`)}</div><div class="colonne"><h1>${gold(title)}</h1><p><i>${gold(prose.sentences(2))}</i></p>
${repeat(6, () => `<p><strong>${gold(prose.sentences(1))}</strong></p><p>${gold(prose.sentences(3))}</p>`)}<p class="propos">Propos recueillis par ${prose.name()}</p></div><div class="cote"><h3>${words.fr.more}</h3><ul>${teasers(prose, 6, (text) => `<li><a href="/l">${text}</a></li>`)}</ul></div><div class="pied">${footerLinks(prose, (label) => `<a href="/i">${label}</a> · `)}</div>`,
      );
    },
  },
  {
    name: "press-release",
    language: "en",
    make(prose) {
      const title = prose.title();
      return page(
        prose,
        `${title} - Newsroom`,
        `<header><nav><a href="/">Alder Works</a>${menuLinks(prose, (label) => `<a href="/m">${label}</a>`)}</nav></header><main><div class="release"><p class="date">${gold(`${prose.place()}, 3 March 2026`)}</p><h1>${gold(title)}</h1><ul class="bullets"><li>${gold(prose.sentences(1))}</li><li>${gold(prose.sentences(1))}</li></ul>${paragraphs(prose, 5)}
<h2>${gold("About Alder Works")}</h2><p>${gold(prose.sentences(2))}</p><h2>${gold("Media contact")}</h2><p>${gold(`${prose.name()}, press@alder.example, +44 20 7946 0${prose.number(100, 999)}`)}</p></div></main><aside class="downloads"><h3>Downloads</h3><a href="/d.pdf">PDF</a> <a href="/d.zip">Images</a></aside>
<section class="related"><h2>Latest news</h2>${teasers(prose, 3, (text) => `<p><a href="/n">${text}</a><br>2 March 2026</p>`)}</section><footer>${footerLinks(prose, (label) => `<a href="/f">${label}</a>`)}<p>© Alder Works 2026. All rights reserved.</p></footer>`,
      );
    },
  },
];
