import { nouns, type Word } from "../grammar/words.js";

/** A thing and the kind of thing that it is. */
export interface Thing extends Word {
  readonly plural: string;
  readonly kind: string;
}

/** Members of each kind; every word is a member of one kind only. */
const MEMBERS: Readonly<Record<string, string>> = {
  mammal: "goat, horse, rabbit, fox, donkey, camel, otter, hamster",
  bird: "robin, eagle, parrot, crow, swan, owl, pigeon, heron",
  insect: "ant, bee, beetle, moth, wasp, cricket, ladybird, butterfly",
  reptile: "snake, lizard, turtle, crocodile, gecko, tortoise, cobra, iguana",
  fruit: "apple, pear, plum, lemon, cherry, peach, melon, apricot",
  vegetable: "carrot, onion, potato/potatoes, turnip, pumpkin, cabbage, radish, leek",
  cake: "muffin, pancake, cookie, waffle, tart, pie, bun, scone",
  tool: "hammer, saw, drill, spade, rake, ladder, wrench, chisel",
  vehicle: "car, van, bicycle, tractor, bus, tram, truck, scooter",
  boat: "canoe, ferry, raft, yacht, barge, kayak, gondola, lifeboat",
  "piece of clothing": "coat, scarf/scarves, shirt, jacket, hat, glove, sweater, skirt",
  "piece of furniture": "chair, table, sofa, desk, shelf/shelves, stool, bench, cupboard",
  "musical instrument": "drum, flute, violin, guitar, trumpet, piano, harp, cello",
  toy: "doll, kite, puzzle, marble, balloon, robot, teddy, rattle",
  flower: "rose, tulip, daisy, lily, poppy, orchid, violet, sunflower",
  tree: "oak, pine, birch, willow, maple, cedar, elm, fir",
  building: "castle, tower, church, mill, barn, palace, temple, cottage",
  container: "bottle, basket, box, bucket, jar, barrel, crate, bag",
  "kitchen thing": "plate, bowl, cup, spoon, fork, pan, kettle, jug",
  jewel: "ring, necklace, pearl, crown, brooch, bracelet, ruby, diamond",
  "piece of writing": "letter, poem, diary, novel, recipe, map, newspaper, postcard",
  machine: "printer, radio, telephone, camera, computer, clock, lamp, fan",
  shape: "circle, square, triangle, star, cross, heart, cube, spiral",
  fish: "shark, eel, herring, sardine, stingray, sturgeon, tuna, piranha",
};

/** All things, by kind. */
export const THINGS: readonly Thing[] = Object.entries(MEMBERS).flatMap(([kind, members]) =>
  nouns(members).map((word) => ({ text: word.text, plural: word.plural ?? word.text, kind })),
);

/** The kinds, in the order of the lexicon. */
export const KINDS: readonly string[] = Object.keys(MEMBERS);

const THING_OF: ReadonlyMap<string, Thing> = new Map(
  THINGS.flatMap((thing) => [
    [thing.text, thing],
    [thing.plural, thing],
  ]),
);

/** The thing that a word names, in the singular or the plural. */
export function thingNamed(word: string): Thing | undefined {
  return THING_OF.get(word);
}

/** The things of a kind. */
export function thingsOf(kind: string): Thing[] {
  return THINGS.filter((thing) => thing.kind === kind);
}

/** Colours of things. */
export const COLOURS: readonly string[] = [
  ..."red blue green yellow black white brown purple pink golden silver grey".split(" "),
];
