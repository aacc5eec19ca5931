/** Made-up prose in three languages, the same for the same seed. */
export type Language = "en" | "de" | "fr";

type Stock = { names: string[]; places: string[]; things: string[]; sentences: string[]; titles: string[] };

const stock: Record<Language, Stock> = {
  en: {
    names: [
      "Ann Lee",
      "Marcus Webb",
      "Priya Nair",
      "Tom Alder",
      "Grace Osei",
      "Helen Ward",
      "Luis Ortega",
      "Joan Pike",
    ],
    places: ["Lindmarsh", "Port Ellery", "Hadley", "Northwick", "Westbrook", "Carrow Bay", "Upper Dale", "Stonebridge"],
    things: ["pump", "library", "harbour", "budget", "school", "bridge", "bus line", "market", "archive", "reservoir"],
    titles: [
      "{place} votes on the new {thing}",
      "Why the {thing} of {place} matters again",
      "What we learned from a broken {thing}",
      "The {thing} that changed {place}",
    ],
    sentences: [
      "The council of {place} decided on Tuesday to repair the {thing} before the winter, although the costs are still open.",
      "{name}, who has worked there for {n} years, said that nobody had expected the {thing} to last this long.",
      "About {n} people came to the hall to hear the plans, and most of them stayed until the end.",
      "Nobody was hurt, but the {thing} remained closed for {n} days.",
      "In the first year the {thing} served {n} households; today it is more than twice that number.",
      "The reason is simple: whoever needs the {thing} has to travel to {place} and back.",
      "It took {name} almost a decade to collect the letters, maps and photographs that are shown now.",
      "According to the report, {n} percent of the money went into work that was never finished.",
      "Engineers had warned early on that the {thing} would not bear the weight of a second floor.",
      "When the lights went out, the staff opened the doors by hand and led everyone into the yard.",
      "Some neighbours doubt the figures, and {name} is one of them.",
      "A second study, paid for by the ministry, comes to a different result and counts {n} cases.",
      "That is why the two towns, {place} and {place}, now share one office and one telephone number.",
      "What sounds dull on paper turns out to be a story of patience, stubbornness and a little luck.",
      "“We could have waited another {n} years,” {name} told us, “but then there would be nothing left to save.”",
      "The old {thing} was built when coal was cheap and nobody asked how it would be heated later.",
      "From the hill above {place} one can see how the river bends around the quay and loses itself in the reeds.",
      "Whether the plan works will be clear by the end of next year at the earliest.",
      "Tests with {n} volunteers showed that most people found their way without any explanation.",
      "If the valve is opened too quickly, air is drawn in and the {thing} runs dry within a minute.",
      "The change applies to all contracts that were signed after the first of March.",
      "Three things helped: a clear plan, a small team, and the habit of writing everything down.",
      "Critics point out that the same promise was made in {place} {n} years ago.",
      "On most mornings the first boat leaves before five, and the ice is loaded while it is still dark.",
    ],
  },
  de: {
    names: ["Anna Lehmann", "Jürgen Vogt", "Sabine Kröger", "Mehmet Yilmaz", "Petra Öhlschläger", "Karl Bauer"],
    places: ["Ostrau", "Niederfelde", "Bad Hellen", "Grünsiel", "Kaltenbach", "Süderhafen"],
    things: ["Brücke", "Bücherei", "Schule", "Pumpe", "Satzung", "Buslinie", "Halle", "Mühle"],
    titles: [
      "{place} streitet über die neue {thing}",
      "Was die {thing} für {place} bedeutet",
      "Die {thing} bleibt vorerst geschlossen",
    ],
    sentences: [
      "Der Gemeinderat von {place} hat am Dienstag beschlossen, die {thing} noch vor dem Winter instand zu setzen.",
      "{name} arbeitet seit {n} Jahren dort und hat nicht erwartet, dass die {thing} so lange hält.",
      "Rund {n} Menschen kamen in den Saal, um sich die Pläne anzuhören, und die meisten blieben bis zum Schluss.",
      "Verletzt wurde niemand, doch die {thing} blieb {n} Tage lang gesperrt.",
      "Der Grund ist einfach: Wer die {thing} braucht, muss bisher nach {place} fahren und wieder zurück.",
      "Nach Angaben der Verwaltung liegen die Kosten um {n} Prozent über dem, was vor drei Jahren geschätzt wurde.",
      "„Wir hätten noch länger warten können“, sagte {name}, „aber dann wäre nichts mehr zu retten gewesen.“",
      "Ob der Plan aufgeht, zeigt sich frühestens Ende des kommenden Jahres.",
      "Die Regelung gilt für alle Verträge, die nach dem ersten März unterschrieben wurden.",
      "Drei Dinge haben geholfen: ein klarer Plan, eine kleine Gruppe und die Gewohnheit, alles aufzuschreiben.",
      "Kritiker weisen darauf hin, dass dasselbe schon einmal versprochen wurde, nämlich in {place}.",
      "Wird das Ventil zu schnell geöffnet, gerät Luft in die Leitung, und die {thing} läuft trocken.",
      "Im Keller fand sich eine Kiste mit {n} Briefen, von denen bis heute nur ein Teil entziffert ist.",
      "Anwohner bitten darum, den Lärm am Abend zu begrenzen, und haben dafür Unterschriften gesammelt.",
    ],
  },
  fr: {
    names: ["Claire Morel", "Hugo Lambert", "Inès Garnier", "Paul Rivière", "Amélie Besson", "Jean Dufour"],
    places: ["Saint-Orens", "Valcourt", "Montrelais", "Brézac", "Port-Louvel", "Aubigné"],
    things: ["bibliothèque", "passerelle", "école", "pompe", "halle", "fontaine", "digue", "gare"],
    titles: [
      "{place} se prononce sur la nouvelle {thing}",
      "Pourquoi la {thing} de {place} divise encore",
      "La {thing} rouvre ses portes",
    ],
    sentences: [
      "Le conseil municipal de {place} a décidé mardi de réparer la {thing} avant l’hiver, sans en connaître encore le prix.",
      "{name}, qui y travaille depuis {n} ans, ne pensait pas que la {thing} tiendrait aussi longtemps.",
      "Près de {n} personnes sont venues écouter les projets, et la plupart sont restées jusqu’à la fin.",
      "Personne n’a été blessé, mais la {thing} est restée fermée pendant {n} jours.",
      "La raison est simple : celui qui a besoin de la {thing} doit se rendre à {place} et en revenir.",
      "Selon le rapport, {n} pour cent de la somme ont servi à des travaux qui n’ont jamais été achevés.",
      "« Nous aurions pu attendre encore, explique {name}, mais il ne serait plus rien resté à sauver. »",
      "On saura au plus tôt à la fin de l’année prochaine si le plan fonctionne.",
      "La règle vaut pour tous les contrats signés après le premier mars.",
      "Trois choses ont aidé : un plan clair, une petite équipe et l’habitude de tout noter.",
      "Les critiques rappellent que la même promesse avait déjà été faite à {place}.",
      "Si l’on ouvre la vanne trop vite, l’air entre dans la conduite et la {thing} tourne à vide.",
      "Dans la cave, on a retrouvé une caisse de {n} lettres dont une partie seulement a été déchiffrée.",
      "Les riverains demandent que le bruit cesse le soir et ont réuni des signatures.",
    ],
  },
};

export type Prose = {
  language: Language;
  random(): number;
  pick<Value>(values: readonly Value[]): Value;
  number(low: number, high: number): number;
  name(): string;
  place(): string;
  thing(): string;
  title(): string;
  /** So many sentences, none of which comes twice before all have come. */
  sentences(count: number): string;
};

export function createProse(language: Language, seed: number): Prose {
  const words = stock[language];
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
  const number = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  const fill = (template: string) =>
    template.replace(/\{(\w+)\}/g, (_, slot: string) => {
      if (slot === "name") return pick(words.names);
      if (slot === "place") return pick(words.places);
      return slot === "thing" ? pick(words.things) : String(number(2, 980));
    });
  let left: string[] = [];
  const sentence = () => {
    if (left.length === 0) left = [...words.sentences];
    return fill(left.splice(Math.floor(random() * left.length), 1)[0]!);
  };
  return {
    language,
    random,
    pick,
    number,
    name: () => pick(words.names),
    place: () => pick(words.places),
    thing: () => pick(words.things),
    title: () => fill(pick(words.titles)),
    sentences: (count) => Array.from({ length: count }, sentence).join(" "),
  };
}
