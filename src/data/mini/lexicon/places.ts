import { items } from "../grammar/words.js";

export const TOWNS: readonly string[] = items(
  "Oldbridge, Redhill, Marlow, Fernley, Stonegate, Westmoor, Larkfield, Greenport, Hollowby, Kingsdale, Brightwater, Thornbury, Appleton, Millbrook, Seaview, Foxley, Winterton, Elmstead, Dunmore, Rosewick, Northam, Lakeside, Cliffton, Barrowby, Sandwell, Oakhurst, Harfield, Pinewood, Silverton, Copperhill",
);

/** Parts of the country; each town is in one. */
export const REGIONS: readonly string[] = items("Norland, Eastmark, Southby, Westria, Midshire, Highmoor");

export const RIVERS: readonly string[] = items(
  "Alder, Birn, Corve, Dray, Esk, Farn, Gell, Hamble, Inver, Jarrow",
);

/** What towns are known for. */
export const SIGHTS: readonly string[] = items(
  "old castle, long bridge, tall tower, big market, stone church, deep harbour, wide park, famous museum, busy station, quiet lake",
);

/** What the weather is like, and words that go with it. */
export const WEATHER: readonly { readonly name: string; readonly advice: string; readonly noun: string }[] = [
  { name: "sunny", noun: "sunshine", advice: "wear a hat" },
  { name: "rainy", noun: "rain", advice: "take an umbrella" },
  { name: "windy", noun: "wind", advice: "close the windows" },
  { name: "snowy", noun: "snow", advice: "wear warm boots" },
  { name: "foggy", noun: "fog", advice: "drive slowly" },
  { name: "stormy", noun: "storms", advice: "stay at home" },
];
