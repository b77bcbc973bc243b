import { Resvg } from "@resvg/resvg-js";
import { KitError, messageOf } from "../support/errors.js";
import type { AnyFigure, AnyLayout } from "./figure.js";
import { LEGEND_HEIGHT } from "./figures/common.js";
import { headlessPlotly } from "./plotly.js";
import { FONT_FILES, FONT_NAME, textWidth } from "./text-size.js";

export interface PictureSize {
  /** Pixels at scale 1; 760 where the figure has no width of its own. */
  readonly width?: number;
  /** Pixels at scale 1; the figure's own height where it is not given. */
  readonly height?: number;
  /** Pixels of the picture for each of the figure's; 2 where it is not given. */
  readonly scale?: number;
}

/** The width of a picture in pixels at scale 1, where neither the figure nor the caller says another. */
export const FIGURE_WIDTH = 760;

/**
 * A figure as an SVG picture, drawn by plotly.js without a browser. Text stays text.
 * @throws KitError when plotly finds a field that it does not know, or cannot draw the figure
 */
export async function renderSvg(figure: AnyFigure, size: PictureSize = {}): Promise<string> {
  const { plotly, document } = headlessPlotly();
  checkSchema(figure);
  const width = size.width ?? figure.layout.width ?? FIGURE_WIDTH;
  const element = document.createElement("div");
  document.body.append(element);
  // plotly writes into what it is given.
  const draw = (drawn: AnyFigure, layout: AnyLayout): Promise<unknown> =>
    plotly.newPlot(element, structuredClone(drawn.data), structuredClone(layout), { staticPlot: true });
  try {
    const fitted = { ...fitTitle(figure.layout, width), width };
    const more = (size.height ?? figure.layout.height) - figure.layout.height;
    await draw(figure, { ...fitted, height: fitted.height + more });
    // A legend of several lines needs room between the title and the plot; only plotly knows how many lines it has.
    const legend = Number(element.querySelector(".legend rect.bg")?.getAttribute("height") ?? 0);
    const extra = Math.max(0, legend - LEGEND_HEIGHT);
    const height = fitted.height + more + extra;
    if (extra > 0) {
      await draw(figure, { ...fitted, height, margin: { ...fitted.margin, t: fitted.margin.t + extra } });
    }
    return await plotly.toImage(element, { format: "svg", width, height, imageDataOnly: true });
  } catch (error) {
    throw new KitError(
      `figure "${figure.id}" cannot be drawn (${messageOf(error)})`,
      "check its data and layout",
      {},
      {
        cause: error,
      },
    );
  } finally {
    plotly.purge(element);
    element.remove();
  }
}

/**
 * A figure as a PNG picture, the same on every machine: the font comes with the kit. Needs no browser and no display.
 * @returns the bytes of the file
 * @throws KitError when plotly finds a field that it does not know, or cannot draw the figure
 */
export async function renderPng(figure: AnyFigure, size: PictureSize = {}): Promise<Uint8Array> {
  const svg = await renderSvg(figure, size);
  const picture = new Resvg(svg, {
    background: "#ffffff",
    fitTo: { mode: "zoom", value: size.scale ?? 2 },
    font: { fontFiles: [...FONT_FILES], loadSystemFonts: false, defaultFontFamily: FONT_NAME },
    textRendering: 1,
  });
  return picture.render().asPng();
}

/** Breaks a title that is wider than the picture into lines and makes room for them. */
function fitTitle(layout: AnyLayout, width: number): AnyLayout {
  const { title } = layout;
  const style = layout.template.layout.title;
  const room = width - 2 * (title.pad?.l ?? 0);
  const lines = breakLines(title.text, room, style.font.size, style.font.weight);
  const small = breakLines(title.subtitle?.text ?? "", room, style.subtitle.font.size, 400);
  const more = 1.3 * ((lines.length - 1) * style.font.size + (small.length - 1) * style.subtitle.font.size);
  return {
    ...layout,
    title: {
      ...title,
      text: lines.join("<br>"),
      ...(title.subtitle === undefined ? {} : { subtitle: { text: small.join("<br>") } }),
    },
    height: layout.height + more,
    margin: { ...layout.margin, t: layout.margin.t + more },
  };
}

function breakLines(text: string, room: number, size: number, weight: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = lines.length === 0 ? word : `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && textWidth(longer, size, weight) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** @throws KitError for a field or value that is not in plotly's schema, where plotly would silently ignore it */
function checkSchema(figure: AnyFigure): void {
  const problems = headlessPlotly().plotly.validate(
    structuredClone(figure.data),
    structuredClone(figure.layout),
  );
  const [first] = problems ?? [];
  if (first === undefined) return;
  throw new KitError(`figure "${figure.id}": ${first.msg}`, "correct the figure's data or layout");
}
