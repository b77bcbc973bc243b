/**
 * Counting sentences after Punkt (Kiss and Strunk 2006) as NLTK has it: where a ".", "?" or "!" ends a token it ends a
 * sentence, unless the token is an abbreviation, an initial or a number that the next word goes on from.
 *
 * NLTK's English model knows for 20,366 words whether it saw them in lower case, and 37 word pairs; this file has the
 * commonest function words instead. The two can differ only after an abbreviation, an initial or a number.
 */

const CLOSING = "\\u2018\\u2019\\u201c\\u201d\\u00ab\\u00bb";
const NON_WORD = `[)";}\\]*:@'({\\[${CLOSING}!?]`;
const MULTIPLE = "(?:-{2,}|\\.{2,}|(?:\\.\\s){2,}\\.)";
/** An end mark with something that may begin the next sentence behind it. */
const END = new RegExp(`[.?!](?=(?:(${NON_WORD})|(\\s+)(\\S+)))`, "gu");
const TOKEN = new RegExp(
  `${MULTIPLE}|(?=[^("\`{[:;&#*@)}\\]\\-,])\\S+?(?=\\s|$|${NON_WORD}|${MULTIPLE}|,(?=$|\\s|${NON_WORD}|${MULTIPLE}))|\\S`,
  "gu",
);
/** Quotation marks and brackets that close the sentence before them. */
const CLOSES = new RegExp(`^["')\\]}${CLOSING}]+?(?:\\s+|(?=--)|$)`, "u");

/** Abbreviations that Punkt learned from English newspapers (NLTK's model), without the last point. */
const ABBREVIATIONS = new Set(
  `a.a a.c a.d a.g a.h a.m a.m.e a.s a.t adm ala ariz aug ave b.f b.v bros c c.i.t c.o.m.b c.v calif chg cie co col colo
  conn corp cos ct d d.c d.h d.w dec dr e e.f e.h e.l e.m f f.g f.j feb fla fri ft g g.d g.f g.k ga gen h h.c h.f h.m
  i.m.s ill inc j.b j.c j.j j.k j.p j.r jan jr k kan ky l l.a l.f l.p lt ltd m m.b.a m.d.c m.j maj messrs mg mich minn
  mr mrs ms n n.c n.d n.h n.j n.m n.v n.y nev nov oct ok okla ore p p.a.m p.m pa ph.d prof r r.a r.h r.i r.j r.k r.t rep
  reps s s.a s.a.y s.c s.g s.p.a s.s sen sep sept sr st sw t t.j tenn tues u.k u.n u.s u.s.a u.s.s.r v va vs vt w w.c w.r
  w.va w.w wash wed wis yr`.split(/\s+/),
);
/** Words that often begin a sentence (NLTK's model). */
const STARTERS = new Set(
  `according although among both but despite even he however i if in indeed instead it many meanwhile moreover most
  nevertheless nonetheless nor sales separately similarly since so some the there these they this though thus under when
  while yet`.split(/\s+/),
);
/** Function words that a newspaper capitalises at the start of a sentence only: there they begin one. */
const CAPITAL_AT_START = new Set(
  `being does her here indeed instead into moreover nevertheless nonetheless nor separately similarly so still such them
  though thus upon very were whether which without yet your`.split(/\s+/),
);
/** Function words that also stand capitalised within a sentence, in titles and names. */
const CAPITAL_ANYWHERE = new Set(
  `a about according after all also although among an and another any are as at because been before both but by can could
  despite did do each even every few for from had has have he his how however if in is it its just let like many may
  meanwhile more most much my no not now of on one only or other our out over perhaps sales she should since some than
  that the their then there these they this to too under until up was we what when where while who why will with would
  you`.split(/\s+/),
);

/** How many sentences a text has. */
export function countSentences(text: string): number {
  const sentences: string[] = [];
  let start = 0;
  for (const { end, next } of boundaries(text)) {
    sentences.push(text.slice(start, end));
    start = next;
  }
  sentences.push(text.slice(start).trimEnd());
  return realigned(sentences).length;
}

/** Sentences after their closing marks have moved to where they belong; those that become empty are none. */
function realigned(sentences: readonly string[]): string[] {
  const result: string[] = [];
  let rest = sentences[0] ?? "";
  sentences.forEach((_, index) => {
    const next = sentences[index + 1];
    const closing = next === undefined ? undefined : CLOSES.exec(next)?.[0];
    if (closing !== undefined) result.push(rest + closing.trim());
    else if (rest !== "") result.push(rest);
    rest = (next ?? "").slice(closing?.length ?? 0);
  });
  return result;
}

function* boundaries(text: string): Generator<{ readonly end: number; readonly next: number }> {
  let wordEnd = 0;
  let waiting: { readonly match: RegExpExecArray; readonly from: number } | undefined;
  for (const match of text.matchAll(END)) {
    const lastSpace = text.slice(wordEnd, match.index).search(/\s\S*$/u);
    const from = lastSpace > 0 ? wordEnd + lastSpace + 1 : (waiting?.from ?? 0);
    // Marks within one word, as in "a.b.c.", are looked at once, at the last of them.
    if (waiting !== undefined && wordEnd <= from && endsSentence(text, waiting)) yield placeOf(waiting.match);
    waiting = { match, from };
    wordEnd = match.index;
  }
  if (waiting !== undefined && endsSentence(text, waiting)) yield placeOf(waiting.match);
}

function placeOf({ index, 2: space }: RegExpExecArray): { readonly end: number; readonly next: number } {
  return { end: index + 1, next: index + 1 + (space?.length ?? 0) };
}

function endsSentence(
  text: string,
  { match, from }: { readonly match: RegExpExecArray; readonly from: number },
): boolean {
  const [, mark, space, word] = match;
  const context = text.slice(from, match.index + 1) + (mark ?? `${space ?? ""}${word ?? ""}`);
  const tokens = context.match(TOKEN) ?? [];
  return tokens.slice(0, -1).some((token, index) => breaksAfter(token, tokens[index + 1] ?? ""));
}

function breaksAfter(token: string, next: string): boolean {
  if ([".", "?", "!"].includes(token)) return true;
  if (!token.endsWith(".")) return false;
  const ellipsis = /^\.\.+$/.test(token);
  const word = token.slice(0, -1).toLowerCase();
  const abbreviation =
    !token.endsWith("..") && (ABBREVIATIONS.has(word) || ABBREVIATIONS.has(word.split("-").at(-1) ?? word));
  let breaks = !ellipsis && !token.endsWith("..") && !abbreviation;
  const initial = /^[\p{L}_]\.$/u.test(token);
  const follower = next.toLowerCase().replace(/(?<=.)\.$/u, "");
  if ((abbreviation || ellipsis) && !initial) {
    if (startsSentence(next, follower) === true) return true;
    if (/^\p{Lu}/u.test(next) && STARTERS.has(follower)) return true;
  }
  if (initial || /^-?[.,]?\p{Nd}[\p{Nd},.-]*$/u.test(word)) {
    const starts = startsSentence(next, follower);
    if (starts === false) breaks = false;
    if (starts === undefined && initial && /^\p{Lu}/u.test(next)) {
      breaks = CAPITAL_AT_START.has(follower) || CAPITAL_ANYWHERE.has(follower);
    }
  }
  return breaks;
}

/** Whether a word begins a sentence by how it is written; undefined when that does not say. */
function startsSentence(next: string, follower: string): boolean | undefined {
  if (/^[;:,.!?]$/.test(next)) return false;
  if (/^\p{Lu}/u.test(next)) return CAPITAL_AT_START.has(follower) ? true : undefined;
  return /^\p{Ll}/u.test(next) ? false : undefined;
}
