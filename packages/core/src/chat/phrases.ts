/** The few sentences that we say ourselves, and the words by which we know a refusal, in the languages that we stem. */
type Phrases = {
  /** What training teaches and grounding says when the passages do not answer. */
  refusal: string;
  /** Stands before a passage that is quoted in place of the model's words. */
  quoted: string;
  refusalPattern: RegExp;
  yesNo: readonly string[];
  negations: readonly string[];
};

const phrases: Record<string, Phrases> = {
  en: {
    refusal: "I don't know: the documents do not say.",
    quoted: "The closest passage that I found says:",
    refusalPattern:
      /\b(?:i (?:do not|don't) know|i(?:'m| am) not (?:sure|able)|i (?:cannot|can't|could not|couldn't) (?:find|answer|determine|provide)|(?:as|i am|i'm) an ai\b|(?:is|are|was|were)(?: not|n't) (?:mentioned|stated|specified|provided|given|included)|(?:do|does|did)(?: not|n't) (?:mention|say|specify|state|provide|contain|include) (?!.*\b(?:only|but)\b)|no (?:information|mention|answer)\b|not enough (?:information|context))/iu,
    yesNo: ["yes", "no"],
    negations: ["not", "no", "never", "none", "neither", "nor", "without", "cannot", "nobody", "nothing"],
  },
  de: {
    refusal: "Das weiß ich nicht: Die Dokumente sagen dazu nichts.",
    quoted: "Die nächstliegende Stelle lautet:",
    refusalPattern:
      /(?:weiß ich nicht|ich weiß (?:es|das)? ?nicht|keine (?:information|angabe)|nicht (?:erwähnt|angegeben|enthalten)|kann ich nicht (?:beantworten|sagen)|sagen dazu nichts)/iu,
    yesNo: ["ja", "nein", "doch"],
    negations: [
      "nicht",
      "kein",
      "keine",
      "keinen",
      "keinem",
      "keiner",
      "keines",
      "nie",
      "niemals",
      "ohne",
      "weder",
      "nichts",
    ],
  },
  fr: {
    refusal: "Je ne sais pas : les documents ne le disent pas.",
    quoted: "Le passage le plus proche dit :",
    refusalPattern:
      /(?:je ne (?:sais|peux) pas|pas (?:mentionné|précisé|indiqué)|aucune information|ne le disent pas)/iu,
    yesNo: ["oui", "non", "si"],
    negations: ["pas", "jamais", "aucun", "aucune", "sans", "rien", "ni", "non"],
  },
  es: {
    refusal: "No lo sé: los documentos no lo dicen.",
    quoted: "El pasaje más cercano dice:",
    refusalPattern:
      /(?:no (?:lo )?sé\b|no se (?:menciona|indica|especifica)|no hay información|no lo dicen|no puedo responder)/iu,
    yesNo: ["sí", "no"],
    negations: ["no", "nunca", "ningún", "ninguna", "ninguno", "sin", "nada", "ni", "jamás"],
  },
  it: {
    refusal: "Non lo so: i documenti non lo dicono.",
    quoted: "Il passaggio più vicino dice:",
    refusalPattern:
      /(?:non (?:lo )?so\b|non è (?:indicato|menzionato|specificato)|nessuna informazione|non lo dicono|non posso rispondere)/iu,
    yesNo: ["sì", "no"],
    negations: ["non", "mai", "nessun", "nessuna", "nessuno", "senza", "niente", "nulla", "né"],
  },
  nl: {
    refusal: "Dat weet ik niet: de documenten zeggen het niet.",
    quoted: "De best passende passage luidt:",
    refusalPattern:
      /(?:weet (?:ik )?(?:het|dat)? ?(?:ik )?niet|geen informatie|niet (?:vermeld|genoemd|aangegeven)|zeggen het niet)/iu,
    yesNo: ["ja", "nee"],
    negations: ["niet", "geen", "nooit", "zonder", "niets", "niemand", "noch"],
  },
  pt: {
    refusal: "Não sei: os documentos não o dizem.",
    quoted: "A passagem mais próxima diz:",
    refusalPattern:
      /(?:não (?:o )?sei\b|não (?:é|foi) (?:mencionado|indicado|especificado)|nenhuma informação|não o dizem|não posso responder)/iu,
    yesNo: ["sim", "não"],
    negations: ["não", "nunca", "nenhum", "nenhuma", "sem", "nada", "nem", "jamais"],
  },
};

const all = Object.values(phrases);
const negations = new Set(all.flatMap((each) => each.negations));
const yesNo = new Set(all.flatMap((each) => each.yesNo));
const english = phrases.en as Phrases;

const phrasesOf = (language: string | null): Phrases => phrases[(language ?? "").slice(0, 2).toLowerCase()] ?? english;

export const refusalSentence = (language: string | null): string => phrasesOf(language).refusal;
export const quotedLeadIn = (language: string | null): string => phrasesOf(language).quoted;

/** True for a sentence that says the answer is not known, in any of the languages; models also refuse in English. */
export function isRefusal(sentence: string): boolean {
  const straight = sentence.replaceAll("’", "'");
  return all.some(({ refusalPattern }) => refusalPattern.test(straight));
}

/** @param word folded (`foldWord`). Languages share no false friend here that matters: "no" negates or stands alone. */
export const isNegation = (word: string): boolean => negations.has(word) || word.endsWith("n't");
export const isYesNo = (word: string): boolean => yesNo.has(word);
