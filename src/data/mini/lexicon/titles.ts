import { items } from "../grammar/words.js";

/** Well-known books and who wrote them; columns: title, author, genre. */
export const KNOWN_BOOKS: readonly (readonly [string, string, string])[] = [
  ["Pride and Prejudice", "Jane Austen", "love story"],
  ["Great Expectations", "Charles Dickens", "drama"],
  ["Treasure Island", "Robert Louis Stevenson", "adventure"],
  ["The Time Machine", "Herbert George Wells", "science fiction"],
  ["Frankenstein", "Mary Shelley", "horror story"],
  ["Middlemarch", "George Eliot", "drama"],
  ["Moby Dick", "Herman Melville", "adventure"],
  ["Dracula", "Bram Stoker", "horror story"],
  ["Hamlet", "William Shakespeare", "tragedy"],
  ["The Moonstone", "Wilkie Collins", "mystery"],
];

/** First halves of invented titles. */
export const TITLE_ADJECTIVES: readonly string[] = items(
  "Silent, Golden, Broken, Hidden, Last, Secret, Frozen, Burning, Empty, Lost, Crooked, Distant, Blue, Iron",
);

/** Second halves of invented titles. */
export const TITLE_NOUNS: readonly string[] = items(
  "Garden, Bridge, Harbour, Mirror, Winter, Island, Promise, Lantern, River, Kingdom, Letter, Mountain, Shadow, Window",
);

export const GENRES: readonly string[] = items(
  "love story, drama, adventure, mystery, horror story, comedy, tragedy, science fiction",
);

export const SHOP_NAMES: readonly string[] = items(
  "Corner, Sunrise, Anchor, Lantern, Crown, Maple, Compass, Dolphin, Windmill, Pearl, Acorn, Swallow, Comet, Harvest, Clover, Falcon, Rainbow, Pebble, Beacon, Feather",
);
