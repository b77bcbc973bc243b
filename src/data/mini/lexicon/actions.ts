import { items, verb, type Word } from "../grammar/words.js";

/** Verbs whose object can be any thing. */
export const ACTIONS: readonly Word[] = items(
  "paint, buy bought, sell sold, find found, hide hid hidden, carry, clean, borrow, move, draw drew drawn, count, drop, wash, lose lost, fix, want, notice, take took taken, keep kept, lift, choose chose chosen, pack, photograph, describe, measure, admire",
).map(verb);

/** How something is done. */
export const MANNERS: readonly string[] = items(
  "quickly, slowly, quietly, happily, carefully, proudly, sadly, calmly, gladly, politely, bravely, eagerly",
);

export const DAYS: readonly string[] = items(
  "Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
);

/** Times of the day, after "at". */
export const TIMES: readonly string[] = items(
  "noon, dawn, dusk, midnight, sunrise, sunset, breakfast, lunch, dinner, teatime",
);

/** Number words by value, "zero" first. */
export const NUMBERS: readonly string[] = items(
  "zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve",
);

/** What people do with one another; the roles can be swapped and then mean something else. */
export const ENCOUNTERS: readonly Word[] = items(
  "phone, help, visit, thank, follow, call, invite, greet, meet met, teach taught, pay paid, praise",
).map(verb);

/** What people do in their free time, after "likes". */
export const HOBBIES: readonly string[] = items(
  "chess, painting, fishing, singing, dancing, cooking, gardening, running, sewing, skating, swimming, reading",
);
