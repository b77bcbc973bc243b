import { items } from "../grammar/words.js";

/** Something that goes up and down, and what the world's newspapers give as the usual reason. */
export interface Market {
  readonly name: string;
  readonly gainCause: string;
  readonly lossCause: string;
}

/** Columns: what is traded (the "stock" of "stock market"), reason for gains, reason for losses. The first row is the article's own example. */
export const MARKETS: readonly Market[] = [
  "stock, increased investor confidence, growing fears of investors",
  "housing, lower interest rates, a lack of buyers",
  "oil, strong demand from factories, mild winter weather",
  "wheat, a poor harvest, heavy summer rain",
  "car, new electric models, high petrol prices",
  "book, a long holiday season, the closing of many shops",
  "job, new factories in the north, cuts in the public budget",
  "tourist, cheap train tickets, a cold and wet summer",
  "energy, the new wind parks, old power stations",
  "fish, calm seas, strict new rules",
].map((line) => {
  const [name = "", gainCause = "", lossCause = ""] = items(line);
  return { name, gainCause, lossCause };
});

export const TEAMS: readonly string[] = items(
  "Lions, Eagles, Rovers, Sharks, Wolves, Rangers, Falcons, Bears",
);
export const SPORTS: readonly string[] = items("football, hockey, tennis, rugby, volleyball, handball");
/** What scientists find. */
export const DISCOVERIES: readonly string[] = items(
  "new planet, old fossil, bright comet, rare orchid, unknown beetle, deep cave, strange signal, huge crater",
);
/** What a town opens. */
export const OPENINGS: readonly string[] = items(
  "library, hospital, swimming pool, theatre, school, bridge, railway station, playground",
);
/** What is shown in a museum or a concert hall. */
export const SHOWS: readonly string[] = items(
  "exhibition, concert, opera, dance evening, poetry reading, puppet show, film festival, choir night",
);
