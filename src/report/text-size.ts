import { createRequire } from "node:module";
import { GlobalFonts, createCanvas, type SKRSContext2D } from "@napi-rs/canvas";

const require = createRequire(import.meta.url);

/** The font files that pictures use, so that they look the same on machines without any font. */
export const FONT_FILES: readonly string[] = [
  "400Regular/OpenSans_400Regular.ttf",
  "600SemiBold/OpenSans_600SemiBold.ttf",
  "700Bold/OpenSans_700Bold.ttf",
].map((name) => require.resolve(`@expo-google-fonts/open-sans/${name}`));

export const FONT_NAME = "Open Sans";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

let context: SKRSContext2D | undefined;

/** The width of one line of text in pixels, in the font that the pictures use. */
export function textWidth(text: string, size: number, weight: number): number {
  if (context === undefined) {
    for (const file of FONT_FILES) GlobalFonts.registerFromPath(file, FONT_NAME);
    context = createCanvas(8, 8).getContext("2d");
  }
  context.font = `${weight >= 700 ? "700" : weight >= 600 ? "600" : "400"} ${size}px "${FONT_NAME}"`;
  return context.measureText(text).width;
}

/** The smallest box around some boxes, or an empty one at the origin. */
export function union(boxes: readonly Box[]): Box {
  if (boxes.length === 0) return { left: 0, top: 0, width: 0, height: 0 };
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  return {
    left,
    top,
    width: Math.max(...boxes.map((box) => box.left + box.width)) - left,
    height: Math.max(...boxes.map((box) => box.top + box.height)) - top,
  };
}
