import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { JSDOM, VirtualConsole } from "jsdom";
import { createCanvas, type Canvas } from "@napi-rs/canvas";
import { union, textWidth, type Box } from "./text-size.js";

/** The part of plotly that is called here. */
export interface PlotlyWindow {
  newPlot(element: Element, data: unknown, layout: unknown, config: unknown): Promise<unknown>;
  toImage(
    figure: unknown,
    options: { format: "svg"; width: number; height: number; imageDataOnly?: boolean },
  ): Promise<string>;
  purge(element: Element): void;
  validate(data: unknown, layout: unknown): { readonly msg: string }[] | undefined;
}

export interface HeadlessPlotly {
  readonly plotly: PlotlyWindow;
  readonly document: Document;
}

let loaded: HeadlessPlotly | undefined;

/** The text of plotly.js, to be put into a page (about 4.8 MB). */
export function plotlySource(): string {
  return readFileSync(createRequire(import.meta.url).resolve("plotly.js-dist-min"), "utf8");
}

/**
 * plotly.js in a document without a browser; loaded once in a process (about 1 s). jsdom lays nothing out, so the sizes
 * of text, which plotly needs for margins and legends, are measured with the font of the pictures.
 */
export function headlessPlotly(): HeadlessPlotly {
  if (loaded !== undefined) return loaded;
  const dom = new JSDOM("<!doctype html><body></body>", {
    runScripts: "outside-only",
    pretendToBeVisual: true,
    virtualConsole: new VirtualConsole(),
  });
  const window = dom.window;
  addLayout(window);
  window.eval(plotlySource());
  const plotly = (window as unknown as { Plotly: PlotlyWindow }).Plotly;
  loaded = { plotly, document: window.document };
  return loaded;
}

interface WindowToMend {
  readonly Element: { readonly prototype: object };
  readonly SVGElement: { readonly prototype: object };
  readonly HTMLCanvasElement: { readonly prototype: object };
  readonly URL: object;
  matchMedia?: unknown;
}

/** Gives the document what plotly asks of a browser: sizes of text and shapes, and no colour scheme. */
function addLayout(window: WindowToMend): void {
  Object.assign(window.SVGElement.prototype, {
    getBBox(this: Element): object {
      const { left, top, width, height } = boxOf(this);
      return { x: left, y: top, width, height };
    },
    getComputedTextLength(this: Element): number {
      return boxOf(this).width;
    },
    getTotalLength: (): number => 0,
    getPointAtLength: (): object => ({ x: 0, y: 0 }),
  });
  Object.assign(window.Element.prototype, {
    getBoundingClientRect(this: Element): object {
      const { left, top, width, height } = inPage(boxOf(this), this);
      return { left, top, width, height, x: left, y: top, right: left + width, bottom: top + height };
    },
  });
  Object.assign(window.HTMLCanvasElement.prototype, {
    getContext(this: HTMLCanvasElement, kind: string): object | null {
      return kind === "2d" ? paperOf(this).getContext("2d") : null;
    },
    toDataURL(this: HTMLCanvasElement): string {
      return paperOf(this).toDataURL("image/png");
    },
  });
  Object.assign(window.URL, { createObjectURL: (): string => "", revokeObjectURL: (): void => undefined });
  window.matchMedia = () => ({
    matches: false,
    addListener: (): void => undefined,
    addEventListener: (): void => undefined,
    removeEventListener: (): void => undefined,
  });
}

/** What is drawn on the canvas elements of the document: plotly paints the cells of heat maps. */
const papers = new WeakMap<object, Canvas>();

function paperOf(element: HTMLCanvasElement): Canvas {
  const known = papers.get(element);
  if (known?.width === element.width && known.height === element.height) return known;
  const paper = createCanvas(element.width, element.height);
  papers.set(element, paper);
  return paper;
}

/** The box of an SVG element in the coordinates of its own parent; its own transform is not in it. */
function boxOf(element: Element): Box {
  switch (element.tagName.toLowerCase()) {
    case "text":
      return textBox(element);
    case "tspan":
      return { left: 0, top: 0, width: lineWidth(element), height: fontSize(element) * 1.36 };
    case "rect":
    case "image":
      return {
        left: attribute(element, "x"),
        top: attribute(element, "y"),
        width: attribute(element, "width"),
        height: attribute(element, "height"),
      };
    case "g":
    case "a":
      return union(
        [...element.children]
          .map((child) => shifted(boxOf(child), child))
          .filter(({ width, height }) => width > 0 || height > 0),
      );
    default:
      return union([]);
  }
}

function textBox(text: Element): Box {
  const size = fontSize(text);
  const lines = [...text.children].filter((child) => child.classList.contains("line"));
  const widths = lines.length === 0 ? [lineWidth(text)] : lines.map(lineWidth);
  const width = Math.max(0, ...widths);
  const anchor = text.getAttribute("text-anchor") ?? inherited(text, "text-anchor");
  const x = attribute(text, "x");
  return {
    left: anchor === "middle" ? x - width / 2 : anchor === "end" ? x - width : x,
    top: attribute(text, "y") - size * 1.07,
    width,
    height: size * (1.36 + 1.3 * (widths.length - 1)),
  };
}

/** Parts of a line may have sizes of their own (sub- and superscripts). */
function lineWidth(element: Element): number {
  let width = 0;
  for (const node of element.childNodes) {
    if (node.nodeType === 3) {
      const weight = inherited(element, "font-weight");
      width += textWidth(
        node.textContent ?? "",
        fontSize(element),
        weight === "bold" ? 700 : Number(weight) || 400,
      );
    } else if (node.nodeType === 1) {
      width += lineWidth(node as Element);
    }
  }
  return width;
}

function fontSize(element: Element): number {
  return Number.parseFloat(inherited(element, "font-size") ?? "") || 12;
}

/** A property that the element or the nearest ancestor sets in its style or as an attribute. */
function inherited(element: Element, property: string): string | undefined {
  for (let at: Element | null = element; at !== null; at = at.parentElement) {
    const style = (at as SVGElement).style.getPropertyValue(property);
    const value = style === "" ? at.getAttribute(property) : style;
    if (value !== null && value !== "") return value;
  }
  return undefined;
}

/** The box around a box after the element's own transform: shifts, turns and scales, the innermost last. */
function shifted(box: Box, element: Element): Box {
  const steps = [
    ...(element.getAttribute("transform") ?? "").matchAll(/(translate|rotate|scale)\(([^)]*)\)/g),
  ];
  const corners = [box.left, box.left + box.width].flatMap((x) => [
    { x, y: box.top },
    { x, y: box.top + box.height },
  ]);
  for (const [, kind, list] of steps.reverse()) {
    const [first = 0, second, third = 0] = (list ?? "")
      .split(/[\s,]+/)
      .filter(Boolean)
      .map(Number);
    for (const corner of corners) {
      const { x, y } = corner;
      if (kind === "translate") {
        corner.x = x + first;
        corner.y = y + (second ?? 0);
      } else if (kind === "scale") {
        corner.x = x * first;
        corner.y = y * (second ?? first);
      } else {
        const [cosine, sine] = [Math.cos((first * Math.PI) / 180), Math.sin((first * Math.PI) / 180)];
        const [dx, dy] = [x - (second ?? 0), y - third];
        corner.x = (second ?? 0) + dx * cosine - dy * sine;
        corner.y = third + dx * sine + dy * cosine;
      }
    }
  }
  const points = corners.map(({ x, y }) => ({ left: x, top: y, width: 0, height: 0 }));
  return union(points);
}

/** A box in the coordinates of the document. */
function inPage(box: Box, element: Element): Box {
  let result = box;
  for (let at: Element | null = element; at !== null; at = at.parentElement) result = shifted(result, at);
  return result;
}

function attribute(element: Element, name: string): number {
  return Number.parseFloat(element.getAttribute(name) ?? "") || 0;
}
