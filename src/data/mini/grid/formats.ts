/** What to do with what was found. */
export interface Format {
  readonly name: string;
  /** Imperatives around the selector's noun phrase `{S}`; the last two are never trained on. */
  readonly wordings: readonly string[];
  /** The answer for what was found, `S`, and the slot words. */
  write(found: string, v: string, u: string): string;
  /** How many slot words the wordings have: `{v}`, then `{u}`. */
  readonly slots: 0 | 1 | 2;
}

function format(
  name: string,
  slots: Format["slots"],
  write: Format["write"],
  wordings: readonly string[],
): Format {
  return { name, slots, write, wordings };
}

/** Brackets and quotation marks stand apart, so that a word is the same token inside them as elsewhere. */
export const FORMATS: readonly Format[] = [
  format("plain", 0, (s) => s, ["write {S}", "give {S}", "name {S}", "copy {S}", "find {S}", "tell me {S}"]),
  format("twice", 0, (s) => `${s} ${s}`, [
    "write {S} twice",
    "write {S} two times",
    "give {S} twice",
    "repeat {S} once",
    "write {S} and then write it again",
  ]),
  format("three-times", 0, (s) => `${s} ${s} ${s}`, [
    "write {S} three times",
    "give {S} three times",
    "write {S} and repeat it twice",
    "copy {S} three times",
    "write three copies of {S}",
  ]),
  format("prefix", 1, (s, v) => `${v} ${s}`, [
    "write {v} and then {S}",
    "write {v} first and then {S}",
    "start with {v} and go on with {S}",
    "begin with {v}, then write {S}",
    "give {v} followed by {S}",
  ]),
  format("suffix", 1, (s, v) => `${s} ${v}`, [
    "write {S} and then {v}",
    "write {S} and add {v}",
    "give {S} and end with {v}",
    "write {S}, then write {v}",
    "let {v} follow {S}",
  ]),
  format("between", 2, (s, v, u) => `${v} ${s} ${u}`, [
    "write {S} between {v} and {u}",
    "put {S} between {v} and {u}",
    "write {v}, {S} and {u}",
    "place {S} between {v} and {u}",
    "set {S} in the middle of {v} and {u}",
  ]),
  format("brackets", 0, (s) => `( ${s} )`, [
    "write {S} in brackets",
    "put {S} in brackets",
    "put brackets around {S}",
    "give {S} in brackets",
    "set {S} inside a pair of brackets",
  ]),
  format("question", 0, (s) => `is it ${s} ?`, [
    "write {S} as a question",
    "ask if it is {S}",
    "give {S} as a question",
    "make a question of {S}",
    "pose a question with {S}",
  ]),
  format("statement", 0, (s) => `it is ${s} .`, [
    "say that it is {S}",
    "write that it is {S}",
    "give {S} as a sentence",
    "state that it is {S}",
    "make a sentence of {S}",
  ]),
  format("yes", 0, (s) => `yes , ${s}`, [
    "answer yes and write {S}",
    "say yes and give {S}",
    "write yes with {S}",
    "agree and write {S}",
    "reply with yes and {S}",
  ]),
  format("denial", 0, (s) => `it is not ${s} .`, [
    "say that it is not {S}",
    "write that it is not {S}",
    "deny that it is {S}",
    "state that it is not {S}",
    "claim that it is not {S}",
  ]),
  format("please", 0, (s) => `${s} please`, [
    "write {S} and say please",
    "ask politely for {S}",
    "give {S} with a please",
    "request {S} politely",
    "be polite and ask for {S}",
  ]),
  format("quotes", 0, (s) => `" ${s} "`, [
    "write {S} in quotation marks",
    "put {S} in quotation marks",
    "quote {S}",
  ]),
  format("exclaim", 0, (s) => `${s} !`, ["shout {S}", "write {S} with an exclamation mark", "cry out {S}"]),
];
