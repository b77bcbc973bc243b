import { items } from "../grammar/words.js";

/** An animal of the world's fact base. */
export interface Animal {
  readonly name: string;
  readonly sound: string;
  readonly home: string;
  readonly baby: string;
  readonly food: string;
}

/** Columns: name, what it does with its voice, where it lives, its young, what it eats. */
export const ANIMALS: readonly Animal[] = [
  "cat, meows, house, kitten, fish",
  "dog, barks, kennel, puppy, meat",
  "cow, moos, barn, calf, grass",
  "horse, neighs, stable, foal, hay",
  "sheep, bleats, field, lamb, clover",
  "lion, roars, savanna, cub, zebras",
  "bear, growls, cave, cub, honey",
  "duck, quacks, pond, duckling, bread",
  "hen, clucks, coop, chick, corn",
  "frog, croaks, swamp, tadpole, flies",
  "snake, hisses, desert, hatchling, eggs",
  "owl, hoots, tree, owlet, mice",
  "bee, buzzes, hive, larva, nectar",
  "goat, bleats, hillside, kid, leaves",
  "pig, grunts, sty, piglet, roots",
  "wolf, howls, forest, pup, deer",
  "mouse, squeaks, hole, pup, cheese",
  "crow, caws, nest, chick, seeds",
  "goose, honks, meadow, gosling, reeds",
  "swan, trumpets, lake, cygnet, pondweed",
  "eagle, screams, cliff, eaglet, rabbits",
  "seal, yelps, beach, pup, herrings",
  "elephant, trumpets, jungle, calf, branches",
  "donkey, brays, yard, foal, thistles",
  "turkey, gobbles, farmyard, poult, acorns",
].map((line) => {
  const [name = "", sound = "", home = "", baby = "", food = ""] = items(line);
  return { name, sound, home, baby, food };
});

/** A food of the world's fact base. */
export interface Food {
  readonly name: string;
  readonly kind: string;
  readonly colour: string;
  readonly taste: string;
}

/** Columns: name, kind, colour, taste. */
export const FOODS: readonly Food[] = [
  "strawberry, fruit, red, sweet",
  "banana, fruit, yellow, sweet",
  "lemon, fruit, yellow, sour",
  "lime, fruit, green, sour",
  "plum, fruit, purple, sweet",
  "blueberry, fruit, blue, sweet",
  "carrot, vegetable, orange, sweet",
  "spinach, vegetable, green, bitter",
  "radish, vegetable, pink, hot",
  "onion, vegetable, white, hot",
  "pepper, vegetable, red, hot",
  "beetroot, vegetable, purple, earthy",
  "bread, baked food, brown, mild",
  "biscuit, baked food, golden, sweet",
  "pretzel, baked food, brown, salty",
  "cracker, baked food, pale, salty",
  "milk, drink, white, mild",
  "tea, drink, brown, bitter",
  "coffee, drink, black, bitter",
  "lemonade, drink, yellow, sour",
  "cheese, dairy food, yellow, salty",
  "butter, dairy food, pale, mild",
  "yogurt, dairy food, white, sour",
  "honey, sweet food, golden, sweet",
  "chocolate, sweet food, dark, sweet",
  "ham, meat, pink, salty",
  "sausage, meat, brown, salty",
  "herring, fish, silver, salty",
].map((line) => {
  const [name = "", kind = "", colour = "", taste = ""] = items(line);
  return { name, kind, colour, taste };
});
