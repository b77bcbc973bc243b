import type { Random } from "../../../support/random.js";
import { frame, type Frame, frames, matchAny } from "../grammar/frame.js";
import { capitalized } from "../grammar/words.js";
import { DAYS, NUMBERS } from "../lexicon/actions.js";
import { DISCOVERIES, type Market, MARKETS, OPENINGS, SHOWS, SPORTS, TEAMS } from "../lexicon/news.js";
import { TOWNS, WEATHER } from "../lexicon/places.js";

export const TOPICS = ["Business", "Sports", "Science", "Weather", "Culture", "Local"] as const;
export type Topic = (typeof TOPICS)[number];

/** A short article. */
export interface News {
  readonly topic: Topic;
  /** Its first sentence says what happened. */
  readonly sentences: readonly string[];
  /** Good headlines, the best first. */
  readonly headlines: readonly string[];
  /** Good summaries of one sentence, the best first. */
  readonly summaries: readonly string[];
}

/** What an article can be about; a split of a task takes a part of the lists, so that its facts are its own. */
export interface NewsMaterial {
  readonly towns: readonly string[];
}

const UP = { noun: "gains", verb: "rose", cause: (market: Market) => market.gainCause };
const DOWN = { noun: "losses", verb: "fell", cause: (market: Market) => market.lossCause };

/** Opening sentences of business news; the first is the article's own example. */
const MARKET_OPENINGS = frames(
  "The {market} market saw significant {noun} today, driven by {cause}.",
  "The {market} market {verb} on {day}, and experts name {cause} as the reason.",
  "Because of {cause}, the {market} market {verb} on {day}.",
);

/** What is left of an opening when the article was cut off, as in the article's own example. */
const CUT_OPENING = frame("The {market} market saw significant {noun} today, driven by…");

const MARKET_SUMMARY = frame("The {market} market experienced {noun} due to {cause}.");

/** Sentences that can follow any news, about no facts. */
const CLOSINGS = frames(
  "People in {town} talked about it all day.",
  "The mayor of {town} said a few words about it.",
  "A report will follow on {day}.",
  "Many readers of the {town} Post asked for more.",
);

/** An article about a market; a cut one leaves the reason to what readers know. */
export function drawMarketNews(market: Market, rises: boolean, cut: boolean, random: Random): News {
  const { noun, verb, cause } = rises ? UP : DOWN;
  const terms = { market: market.name, noun, verb, cause: cause(market), day: random.choice(DAYS) };
  const first = cut
    ? CUT_OPENING.fill(terms)
    : random.choice<Frame<keyof typeof terms>>(MARKET_OPENINGS).fill(terms);
  return {
    topic: "Business",
    sentences: cut ? [first] : [first, closing(TOWNS, random)],
    headlines: [`${capitalized(market.name)} market ${rises ? "rises" : "falls"}`],
    summaries: [MARKET_SUMMARY.fill(terms), `The ${market.name} market ${verb} because of ${terms.cause}.`],
  };
}

/** The usual reason, read from the market and the direction: what a cut article leaves out. */
function usualCause(name: string, rises: boolean): string {
  const market = MARKETS.find((entry) => entry.name === name);
  if (market === undefined) throw new RangeError(`there is no ${name}`);
  return rises ? market.gainCause : market.lossCause;
}

/** Openings, headlines and summaries of the other topics, with the same slots each. */
const STORIES = {
  Sports: {
    openings: frames(
      "The {team} beat the {rival} by {score} to {less} in a game of {sport} in {town} on {day}.",
      "In {town} the {team} won the game of {sport} against the {rival} by {score} to {less} on {day}.",
      "On {day} the {team} won by {score} to {less} against the {rival} in {town}, in a game of {sport}.",
    ),
    headlines: frames("{team} beat {rival} in {town}"),
    summaries: frames(
      "The {team} beat the {rival} in {town}.",
      "In {town} the {team} won against the {rival}.",
    ),
  },
  Science: {
    openings: frames(
      "Scientists from {town} found {discovery|a} on {day}.",
      "On {day} a team of scientists from {town} found {discovery|a}.",
      "A long search ended on {day}, when scientists from {town} found {discovery|a}.",
    ),
    headlines: frames("Scientists from {town} find {discovery}"),
    summaries: frames(
      "Scientists from {town} found {discovery|a}.",
      "{discovery|a} was found by scientists from {town}.",
    ),
  },
  Weather: {
    openings: frames(
      "On {day} the weather in {town} will be {weather}, and people should {advice}.",
      "People in {town} should {advice} on {day}, because it will be {weather}.",
      "It will be {weather} in {town} on {day}, so it is wise to {advice}.",
    ),
    headlines: frames("{weather} {day} in {town}"),
    summaries: frames(
      "It will be {weather} in {town} on {day}.",
      "The weather in {town} will be {weather} on {day}.",
    ),
  },
  Culture: {
    openings: frames(
      "On {day} {show|a} opened in {town}, and {count} hundred people came.",
      "{count} hundred people came to {town} on {day}, where {show|a} opened.",
      "In {town} {show|a} opened on {day} before {count} hundred people.",
    ),
    headlines: frames("{show} opens in {town}"),
    summaries: frames("{show|a} opened in {town}.", "{town} has {show|a}."),
  },
  Local: {
    openings: frames(
      "The town of {town} will build {opening|a} near the river, and work begins on {day}.",
      "Work on {opening|a} in {town} begins on {day} near the river.",
      "On {day} work begins near the river, where {town} will build {opening|a}.",
    ),
    headlines: frames("{town} builds {opening}"),
    summaries: frames("{town} will build {opening|a}.", "{opening|a} will be built in {town}."),
  },
} as const;

/** An article of a topic. */
export function drawNews(topic: Topic, { towns }: NewsMaterial, random: Random): News {
  if (topic === "Business") {
    return drawMarketNews(random.choice(MARKETS), random.integer(2) === 0, false, random);
  }
  const [team = "", rival = ""] = random.shuffled(TEAMS);
  const less = random.integer(4);
  const weather = random.choice(WEATHER);
  const terms = {
    team,
    rival,
    less: NUMBERS[less] ?? "",
    score: NUMBERS[less + 1 + random.integer(4)] ?? "",
    sport: random.choice(SPORTS),
    town: random.choice(towns),
    day: random.choice(DAYS),
    discovery: random.choice(DISCOVERIES),
    weather: weather.name,
    advice: weather.advice,
    show: random.choice(SHOWS),
    count: random.choice(NUMBERS.slice(2)),
    opening: random.choice(OPENINGS),
  };
  const all = (choices: readonly Frame<never>[]): string[] =>
    (choices as readonly Frame<keyof typeof terms>[]).map((choice) => choice.fill(terms));
  const story = STORIES[topic];
  const first = random.choice(all(story.openings));
  return {
    topic,
    sentences: [
      first,
      closing(
        towns.filter((town) => town !== terms.town),
        random,
      ),
    ],
    headlines: all(story.headlines),
    summaries: all(story.summaries),
  };
}

/** The topic of an article and the slots of its opening, read from the text: what a perfect solver knows. */
export function readNews(text: string): {
  readonly topic: Topic;
  readonly slots: Readonly<Record<string, string>>;
} {
  const opening = text.split(/(?<=[.…]) /)[0] ?? "";
  for (const [topic, { openings }] of Object.entries({
    ...STORIES,
    Business: { openings: [...MARKET_OPENINGS, CUT_OPENING] },
  })) {
    const slots = matchAny(openings as readonly Frame<string>[], opening);
    if (slots !== undefined) return { topic: topic as Topic, slots };
  }
  throw new RangeError(`"${opening}" opens no news`);
}

/** The headline or the summary of an article that was read: by the first frame of its topic. */
export function retell(text: string, what: "headlines" | "summaries"): string {
  const { topic, slots } = readNews(text);
  if (topic !== "Business") return (STORIES[topic][what][0] as Frame<string>).fill(slots);
  const market = slots.market ?? "";
  const rises = slots.noun === "gains" || slots.verb === "rose";
  if (what === "headlines") return `${capitalized(market)} market ${rises ? "rises" : "falls"}`;
  const { noun } = rises ? UP : DOWN;
  return MARKET_SUMMARY.fill({ market, noun, cause: slots.cause ?? usualCause(market, rises) });
}

function closing(towns: readonly string[], random: Random): string {
  return random.choice(CLOSINGS).fill({
    town: random.choice(towns),
    day: random.choice(DAYS),
  });
}
