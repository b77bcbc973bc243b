import { items } from "../grammar/words.js";

export const WOMEN: readonly string[] = items(
  "Mia, Anna, Lena, Sara, Nora, Ella, Ruth, Clara, Ida, Vera, Alice, Emma, Hanna, Julia, Rosa, Eva, Lucy, Zoe, Iris, Dora, Greta, Olga, Tessa, Wanda",
);

export const MEN: readonly string[] = items(
  "Tom, Ben, Max, Paul, Leo, Sam, Jack, Noah, Karl, Hugo, Oscar, Felix, Simon, Peter, Victor, Adam, Bruno, Otto, Ivan, Hector, Ralph, Edgar, Jonas, Martin",
);

export const LAST_NAMES: readonly string[] = items(
  "Brook, Stone, Field, Marsh, Wood, Hill, Lane, Reed, Frost, Hale, Finch, Moss, Park, Snow, Vale, Wells, Ash, Cole, Dale, Ford, Glen, Holt, Knight, Lamb",
);

/** What people do for a living. */
export const JOBS: readonly string[] = items(
  "baker, doctor, teacher, farmer, pilot, nurse, painter, singer, lawyer, sailor, gardener, tailor, carpenter, dentist, librarian, engineer, cook, driver, judge, fisher",
);
