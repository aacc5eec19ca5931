import type { Language, Prose } from "./extraction-prose.ts";

/** Characters that no text has mark where the text of a page begins and ends, until they are taken out again. */
const [open, close] = ["\ue000", "\ue001"];

/** Marks HTML whose text belongs to the page's main content. */
export function gold(html: string): string {
  return `${open}${html}${close}`;
}

/** @returns the page as an extractor gets it, and the text that it should find */
export function takeMarks(marked: string): { html: string; gold: string } {
  const found = [...marked.matchAll(/\ue000([^\ue001]*)\ue001/g)].map(([, html = ""]) =>
    html
      .replace(/<[^>]*>/g, " ")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&"),
  );
  return { html: marked.replaceAll(open, "").replaceAll(close, ""), gold: found.join("\n") };
}

type Words = {
  menu: string[];
  more: string;
  read: string;
  cookies: string;
  accept: string;
  footer: string[];
  newsletter: string;
  share: string;
  comments: string;
  reply: string;
  search: string;
  login: string;
  by: string;
};

export const words: Record<Language, Words> = {
  en: {
    menu: ["Home", "News", "Sport", "Business", "Culture", "Weather", "Travel", "Opinion", "Video", "Jobs"],
    more: "More stories",
    read: "Read also:",
    cookies:
      "We and our 312 partners store and access information on your device. You can change your choice at any time in the privacy centre. Some partners do not ask for your consent and rely on their legitimate interest.",
    accept: "Accept all",
    footer: ["About us", "Contact", "Imprint", "Privacy policy", "Terms of use", "Accessibility", "Careers"],
    newsletter: "Get the best of the week in your inbox. You can unsubscribe at any time.",
    share: "Share",
    comments: "Comments",
    reply: "Reply",
    search: "Search",
    login: "Sign in",
    by: "By",
  },
  de: {
    menu: ["Start", "Politik", "Wirtschaft", "Sport", "Kultur", "Wetter", "Reise", "Meinung", "Mediathek", "Stellen"],
    more: "Mehr zum Thema",
    read: "Lesen Sie auch:",
    cookies:
      "Wir und unsere 312 Partner speichern Informationen auf Ihrem Gerät und greifen darauf zu. Sie können Ihre Auswahl jederzeit in den Einstellungen ändern.",
    accept: "Alle annehmen",
    footer: ["Über uns", "Kontakt", "Impressum", "Datenschutz", "AGB", "Barrierefreiheit", "Karriere"],
    newsletter: "Das Wichtigste der Woche als E-Mail. Abbestellen ist jederzeit möglich.",
    share: "Teilen",
    comments: "Kommentare",
    reply: "Antworten",
    search: "Suche",
    login: "Anmelden",
    by: "Von",
  },
  fr: {
    menu: ["Accueil", "Politique", "Économie", "Sport", "Culture", "Météo", "Voyage", "Débats", "Vidéos", "Emploi"],
    more: "À lire aussi",
    read: "Lire aussi :",
    cookies:
      "Nous et nos 312 partenaires stockons des informations sur votre appareil et y accédons. Vous pouvez changer d’avis à tout moment dans les paramètres.",
    accept: "Tout accepter",
    footer: ["Qui sommes-nous", "Contact", "Mentions légales", "Confidentialité", "Conditions", "Accessibilité"],
    newsletter: "L’essentiel de la semaine par courriel. Vous pouvez vous désabonner à tout moment.",
    share: "Partager",
    comments: "Commentaires",
    reply: "Répondre",
    search: "Rechercher",
    login: "Se connecter",
    by: "Par",
  },
};

export function repeat(count: number, make: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => make(index)).join("\n");
}

/** Paragraphs of the main content; every third holds a link, every fourth an emphasis, as prose on the web does. */
export function paragraphs(prose: Prose, count: number, tag = "p"): string {
  return repeat(count, (index) => {
    let text = prose.sentences(prose.number(2, 5));
    if (index % 3 === 1) text = text.replace(/ (\S+ \S+) /, ' <a href="/topic/7">$1</a> ');
    if (index % 4 === 2) text = text.replace(/ (\S+),/, " <em>$1</em>,");
    return `<${tag}>${gold(text)}</${tag}>`;
  });
}

export function menuLinks(prose: Prose, item: (label: string, index: number) => string): string {
  return words[prose.language].menu.map(item).join("\n");
}

export function footerLinks(prose: Prose, item: (label: string) => string): string {
  return words[prose.language].footer.map(item).join("\n");
}

/** A headline that leads to another page, and what it begins with. */
export function teasers(
  prose: Prose,
  count: number,
  frame: (title: string, lead: string, index: number) => string,
): string {
  return repeat(count, (index) => frame(prose.title(), prose.sentences(1), index));
}

/** A whole page around its body. */
export function page(prose: Prose, title: string, body: string, head = ""): string {
  return `<!DOCTYPE html><html lang="${prose.language}"><head><meta charset="utf-8"><title>${title}</title>
<meta name="viewport" content="width=device-width">${head}<script>window.dataLayer=[];function gtag(){dataLayer.push(arguments)}</script>
<style>.a{color:#222}</style></head><body>${body}<script>gtag("event","view")</script></body></html>`;
}
