/** First words of a question in the languages that we stem. */
const interrogative: Record<string, RegExp> = {
  // A verb must follow: "What the warranty covers" is the heading of a section, not a question. After an auxiliary comes the
  // subject: "Does Not Fold Case" and "Can be washed" have none, and "Do the following" is an order.
  en: /^(?:(?:is|are|was|were|do(?!\s(?:the|an?|this|that|so)\b)|does|did|can|could|may|should|must|will|would|has|have)(?:n['’]t)?\s(?!(?:not|never|no|only|also|always|be|been|have|to|in|on|at|by|for|from|with|without|and|or|as)\b)|who(?:m|se)?\s(?!to\b|the\b|an?\b)|(?:(?:in|at|on|by|for|to|under|from|until|since)\s)?(?:(?:what|which|how|whom)(?:\s(?!the\b|an?\b|to\b|our\b|your\b)\p{L}+){0,2}|when|where|why)(?:['’]s|\s(?:is|are|was|were|do|does|did|can|could|may|should|must|will|would|has|have))\b)/iu,
  de: /^(?:wer|wem|wen|wessen|was|wann|wo|woher|wohin|welche\p{L}*|warum|weshalb|wieso|wie|womit|wofür|wozu|worauf|wovon|ist|sind|war|kann|können|darf|dürfen|muss|müssen|soll|hat|haben|gibt|bis wann|ab wann|in welche\p{L}*|an welche\p{L}*)\b/iu,
  fr: /^(?:qui|que|qu'|quoi|quand|où|quel\p{L}*|pourquoi|comment|combien|est-ce|dans quel\p{L}*|à quel\p{L}*|de quel\p{L}*|peut-on|faut-il|est-il|a-t-on)(?=[\s'’-]|$)/iu,
  es: /^(?:quién\p{L}*|qué|cuándo|dónde|cuál\p{L}*|por qué|cómo|cuánt\p{L}*|es|son|puedo|puede|hay|en qué|a qué|de qué|con qué)(?=\s|$)/iu,
  it: /^(?:chi|che|cosa|quando|dove|quale|quali|perché|come|quant\p{L}*|è|sono|posso|può|c'è|in che|a che|di che)(?=\s|$)/iu,
  nl: /^(?:wie|wat|wanneer|waar\p{L}*|welke?|waarom|hoe|hoeveel|is|zijn|kan|kunnen|mag|moet|heeft|in welke?|op welke?)\b/iu,
  pt: /^(?:quem|que|o que|quando|onde|qual|quais|por que|porque|como|quant\p{L}*|é|são|posso|pode|há|em que|a que|de que)(?=\s|$)/iu,
};

/** A sentence that asks: it ends in a question mark, or, without full stop, starts as questions do in its language. */
export function looksLikeQuestion(text: string, language: string | null): boolean {
  const trimmed = text.trim().replace(/^(?:\p{N}{1,3}[.)]|[-*•¿])\s*/u, "");
  if (/[?？؟]["”»)*_]*$/u.test(trimmed)) return /\p{L}{2}/u.test(trimmed) && !isTitle(trimmed, language);
  const pattern = interrogative[(language ?? "en").slice(0, 2)] ?? interrogative.en;
  return !/[.!:;]$/u.test(trimmed) && trimmed.split(/\s+/).length >= 3 && (pattern?.test(trimmed) ?? false);
}

/**
 * "Most Widely Deployed Software Module of Any Type?": an English heading in capitals that names a thing and asks nothing
 * that could be answered, its question mark being a doubt.
 */
function isTitle(text: string, language: string | null): boolean {
  if (!(language ?? "en").startsWith("en")) return false;
  const words = text.match(/\p{L}[\p{L}'’]*/gu) ?? [];
  const long = words.filter((word) => word.length > 3);
  return (
    long.length >= 4 &&
    long.every((word) => /^\p{Lu}/u.test(word)) &&
    !words.some((word) => asksInEnglish.test(word.replace(/n['’]t$/iu, "").replace(/['’].*$/u, "")))
  );
}
const asksInEnglish =
  /^(?:who|whom|whose|what|which|when|where|why|how|is|are|was|were|am|be|do|does|did|can|ca|could|may|might|must|shall|should|will|wo|would|has|have|had|need|needs|want|got)$/iu;

/** Words that point at a text which whoever reads only the question does not see, each with what it is called in a reason. */
const dangling: readonly RegExp[] = [
  /\b(?:this|the (?:above|following|given|provided|present|attached)|that) (?:document|text|passage|article|section|page|table|paragraph|excerpt|example|chapter|list|email|context|figure|policy|guide|manual)\b/iu,
  /\b(?:in|from|by) the (?:document|text|passage|article|excerpt|above)\b|\baccording to the (?:document|text|passage|article|excerpt|section|paragraph|table|context|author|above)\b/iu,
  /\b(?:mentioned|described|stated|listed|discussed|shown) (?:above|below|here|earlier)\b|\b(?:the above|as above|see below|aforementioned)\b/iu,
  /\b(?:dieses?|diese[mrns]?|im|laut|obige[nrms]?|vorliegende[nrms]?) (?:dokuments?|text(?:e?s)?|abschnitts?|artikels?|passage|tabelle|kapitels?)\b|\boben (?:genannt|erwähnt|beschrieben)\p{L}*/iu,
  /\b(?:ce|cet|cette|du|selon le|dans le) (?:document|texte|passage|article|section|tableau|extrait)\b|\bci-dessus\b/iu,
  /\b(?:este|esta|ese|esa|del|según el|en el) (?:documento|texto|pasaje|artículo|sección|tabla)\b/iu,
  /\b(?:questo|questa|del|secondo il|nel) (?:documento|testo|passaggio|articolo|brano)\b|\b(?:dit|deze|in het|volgens het) (?:document|tekst|passage|artikel|tabel)\b|\b(?:deste|neste|este|segundo o) (?:documento|texto|artigo|trecho)\b/iu,
];

/** A question whose subject is a bare pronoun; "it" inside ("What is it called when ...") is left alone. */
const pronounSubject =
  /^(?:(?:what|when|where|why|how|who|which)(?: \p{L}+)?(?:['’]s| (?:is|are|was|were|do|does|did|can|could|should|will|would|has|have|must))|is|are|was|were|do|does|did|can|could|should|will|would|has|have|must) (?:it|they|them|this|that|these|those|he|she)(?=\s*\?|\s+(?!that\b|when\b|if\b|possible\b|necessary\b|allowed\b|required\b|called\b|safe\b|(?:take|cost) (?:to|for)\b))|^(?:and|but|also|what about)\b|^(?:was|wann|wo|warum|wie|wer) (?:ist|sind|kostet|macht|hat|gilt|wird) (?:er|sie|es|dies|das|diese)\s*\?|^(?:ist|sind|kann|hat) (?:er|sie|es|dies)\b(?!\s+(?:möglich|erlaubt|nötig|notwendig))/iu;

/** Says what a question points at outside itself, or null when it can be understood on its own. */
export function findDangling(question: string): string | null {
  for (const pattern of [...dangling, pronounSubject]) {
    const found = pattern.exec(question.trim());
    if (found) return found[0];
  }
  return null;
}

/** Asks for a count or an amount, which only an answer with a number gives. */
export function asksForAmount(question: string): boolean {
  return /\b(?:how (?:many|much)|wie ?viele?|combien|cu[aá]nt[oa]s?|quant[aeio]|hoeveel)\b/iu.test(question);
}

/** What a question such as "What is a seal kit?" wants defined, lower-cased and without its article; null for others. */
export function definedSubject(question: string): string | null {
  const found =
    /^(?:what(?:['’]s| is| are)|was (?:ist|sind)|qu['’]est-ce qu(?:e |['’])|qu[eé] (?:es|son)|cos['’]è|wat (?:is|zijn)|o que (?:é|são))\s*(?:an?|the|eine?|die|der|das|une?|les?|la|l['’]|un[oa]?|el|los|las|il|lo|een|de|het|uma?|os?)?\s+(.+?)\s*[?？]$/iu.exec(
      question.trim(),
    );
  return found?.[1]?.toLowerCase() ?? null;
}
