// Which language a question or a passage is in, by the small words that every sentence of it has. Pure.

export type Language = 'english' | 'german' | 'french'

const german = new Set(
  `aber alle als also am an auch auf aus bei beim bis da dafur damit dann darf das dass dem den der des die dies diese dieser dieses doch durch durfen ein
  eine einem einen einer eines er es fur gegen gelten gibt gilt haben hat hatte ich ihm ihn ihr ihre im in ist ja kann kein keine konnen man mehr mit muss
  mussen nach nicht noch nur ob oder ohne schon sein seine seit sich sie sind so soll sollen uber um und uns unser unsere unter viel viele vom von vor wann
  war waren warum was weil welche welchem welchen welcher welches wem wenn wer werden wie wieviel wir wird wo wurde zu zum zur`.split(/\s+/)
)
const french = new Set(
  `a afin ai alors apres au aucun aussi autre aux avant avec avoir avons c car ce ces cet cette chez combien comme comment d dans de des donc dont du elle
  elles en entre est et etait ete etre eu il ils j je l la le les leur leurs lieu lui m mais meme mes moins mon n ne ni nos notre nous on ont ou par pas
  peut plus pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont sous sur t tous tout tres un une vos votre
  vous y`.split(/\s+/)
)
/** English has some of these words too ("die", "on", "a"): two of them say nothing against it, where it has as many of its own. */
const english = new Set(
  `a an and any are as at be by can do does for from has have how if in into is it its long many may much must no not of on or our over should than that the
  their there they this to was we what when where which who why will with would you`.split(/\s+/)
)
const FEWEST = 2
const NONE: ReadonlySet<string> = new Set()

/** `words` lower-case and without accents. English where nothing says otherwise. */
export function languageOf(words: readonly string[]): Language {
  let inGerman = 0
  let inFrench = 0
  let inEnglish = 0
  for (const word of words) {
    if (german.has(word)) inGerman += 1
    if (french.has(word)) inFrench += 1
    if (english.has(word)) inEnglish += 1
  }
  if (Math.max(inGerman, inFrench) < FEWEST || inEnglish >= Math.max(inGerman, inFrench)) return 'english'
  return inGerman >= inFrench ? 'german' : 'french'
}

/** Words that say nothing about what a text in this language is about; those of English are the searcher's own. */
export function smallWords(language: Language): ReadonlySet<string> {
  return language === 'german' ? german : language === 'french' ? french : NONE
}
