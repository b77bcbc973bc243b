import { items } from "../grammar/words.js";

/** Words of praise, in the order in which they split into training, validation and test. */
export const PRAISE: readonly string[] = items(
  "wonderful, great, charming, lovely, brilliant, excellent, amazing, delightful, superb, pleasant, moving, clever, perfect, fantastic, splendid, marvellous, gripping, beautiful",
);

/** Words of blame, as many as of praise. */
export const BLAME: readonly string[] = items(
  "terrible, boring, awful, dull, clumsy, horrible, weak, dreadful, silly, poor, tiresome, ugly, stupid, lousy, bland, shabby, messy, hopeless",
);

/** What is judged in a film, a book, a shop or a meal. */
export const ASPECTS: Readonly<Record<"film" | "book" | "shop" | "meal", readonly string[]>> = {
  film: items("story, music, ending, plot, acting, camera work, first scene, dialogue"),
  book: items("story, style, ending, plot, hero, first chapter, language, cover"),
  shop: items("service, choice, staff, window, entrance, price list, decoration, waiting room"),
  meal: items("soup, sauce, dessert, salad, bread, main course, coffee, starter"),
};

/** How strongly. */
export const DEGREES: readonly string[] = items("very, really, quite, truly, so");
