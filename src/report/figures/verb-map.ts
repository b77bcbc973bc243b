import type { VerbCount } from "../../data/diversity/index.js";
import type { AnyFigure } from "../figure.js";
import { SERIES_STYLES } from "../theme.js";
import { checkFigure, figureOf, type FigureText, frameLayout, plain } from "./common.js";

export interface VerbMapOptions extends FigureText {
  /** The most frequent verbs with their objects, as `InstructionDiversity.topVerbs`. */
  readonly verbs: readonly VerbCount[];
}

/** A tile of the map. */
interface Tile {
  readonly id: string;
  readonly label: string;
  readonly parent: string;
  readonly value: number;
  readonly color: string;
}

/** The tile around all others; no verb is called so. */
const ROOT = "(all)";

/**
 * A tree map of root verbs and the objects that they are used with: areas are numbers of instructions. What is left of a
 * verb beside its listed objects is one tile without a name.
 * @throws KitError when there are no verbs
 */
export function verbMap(options: VerbMapOptions): AnyFigure {
  const { id, verbs } = options;
  checkFigure(
    id,
    verbs.map(({ count }) => count),
  );
  const total = verbs.reduce((sum, { count }) => sum + count, 0);
  const root = {
    id: ROOT,
    label: "instructions with these verbs",
    parent: "",
    value: total,
    color: "rgba(127,127,127,0.18)",
  };
  const tiles = [root, ...verbs.flatMap((verb, index) => tilesOf(verb, index))];
  return figureOf(options, {
    description: describe(options),
    data: [
      {
        type: "treemap" as const,
        ids: tiles.map((tile) => tile.id),
        labels: tiles.map(({ label }) => plain(label)),
        parents: tiles.map(({ parent }) => parent),
        values: tiles.map(({ value }) => value),
        branchvalues: "total" as const,
        textinfo: "label+value",
        textfont: { size: 13 },
        hovertemplate: "%{label}: %{value:,} instructions<extra></extra>",
        marker: {
          colors: tiles.map(({ color }) => color),
          line: { color: "#ffffff", width: 1 },
          pad: { t: 22, l: 2, r: 2, b: 2 },
        },
        tiling: { pad: 1 },
        pathbar: { visible: false },
      },
    ],
    layout: {
      ...frameLayout(options, { plotHeight: 460, legend: false, left: 12, right: 12, bottom: 12 }),
      uniformtext: { minsize: 10, mode: "hide" as const },
    },
  });
}

function tilesOf({ verb, count, objects }: VerbCount, index: number): Tile[] {
  const color = SERIES_STYLES[index % SERIES_STYLES.length]?.color ?? "#7f7f7f";
  const named = objects.reduce((sum, object) => sum + object.count, 0);
  const others = count - named;
  return [
    { id: verb, label: verb, parent: ROOT, value: count, color },
    ...objects.map((object) => ({
      id: `${verb}/${object.object}`,
      label: object.object,
      parent: verb,
      value: object.count,
      color: paler(color, 0.55),
    })),
    ...(others > 0 && objects.length > 0
      ? [{ id: `${verb}/`, label: "…", parent: verb, value: others, color: paler(color, 0.8) }]
      : []),
  ];
}

/** A colour mixed with white. */
function paler(color: string, white: number): string {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const mixed = parts.map((part) => Math.round(part + (255 - part) * white));
  return `#${mixed.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function describe({ title, verbs }: VerbMapOptions): string {
  const list = verbs.slice(0, 10).map(({ verb, count, objects }) => {
    const names = objects.slice(0, 3).map(({ object, count: uses }) => `${object} ${uses}`);
    return `${verb} ${count}${names.length === 0 ? "" : ` (${names.join(", ")})`}`;
  });
  return `${title}. Instructions by root verb and object: ${list.join("; ")}.`;
}
