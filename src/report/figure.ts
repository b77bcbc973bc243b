/**
 * A plotly figure, as far as the kit draws them: plain data that can be stored as JSON, shown in a notebook, put into a
 * page and rendered to a picture. The types are our own and small, so that a notebook's compiler need not read plotly's.
 */
export interface AnyFigure {
  /** Names the picture's file and the place in the page: lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly subtitle?: string;
  /** What the figure shows, for readers who cannot see it. */
  readonly description: string;
  readonly data: readonly AnyTrace[];
  readonly layout: AnyLayout;
}

/** A figure of dots, lines and bands on two axes. */
export interface Figure extends AnyFigure {
  readonly data: readonly Trace[];
  readonly layout: FigureLayout;
}

export type AnyTrace = Trace | BarTrace | BoxTrace | HeatMapTrace | TreeMapTrace;

export type Coordinate = number | string | null;
export type Dash = "solid" | "dash" | "dot" | "dashdot";

/** Dots, lines and bands: plotly's "scatter". */
export interface Trace {
  readonly type: "scatter";
  readonly mode: "lines" | "markers" | "lines+markers" | "text";
  readonly name?: string;
  readonly x: readonly Coordinate[];
  readonly y: readonly Coordinate[];
  readonly text?: readonly string[];
  readonly textposition?: "middle right" | "middle left" | "top center";
  readonly customdata?: readonly (readonly (number | string)[])[];
  readonly hovertemplate?: string;
  readonly hoverinfo?: "skip";
  readonly error_x?: ErrorBars;
  readonly error_y?: ErrorBars;
  readonly marker?: {
    readonly color?: string | readonly string[];
    readonly symbol?: string | readonly string[];
    readonly size?: number;
    /** Draws markers on about this many of the points only. */
    readonly maxdisplayed?: number;
    readonly line?: { readonly color?: string | readonly string[]; readonly width?: number };
  };
  readonly line?: { readonly color?: string; readonly width?: number; readonly dash?: Dash };
  readonly fill?: "toself";
  readonly fillcolor?: string;
  readonly opacity?: number;
  readonly showlegend?: boolean;
  readonly legendgroup?: string;
  readonly cliponaxis?: boolean;
}

/** Bars that lie, one series on top of (behind) the other. */
export interface BarTrace {
  readonly type: "bar";
  readonly orientation: "h";
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly text?: readonly string[];
  readonly textposition?: "inside";
  readonly textangle?: 0;
  readonly insidetextanchor?: "middle";
  readonly insidetextfont?: { readonly color?: string; readonly size?: number };
  readonly constraintext?: "none";
  readonly width?: number;
  readonly marker: {
    readonly color: string;
    readonly line?: { readonly color?: string; readonly width?: number };
    readonly pattern?: {
      readonly shape: string;
      readonly fillmode: "overlay";
      readonly size?: number;
      readonly solidity?: number;
      readonly fgcolor?: string;
      readonly fgopacity?: number;
    };
  };
  readonly customdata?: readonly (readonly (number | string)[])[];
  readonly hovertemplate?: string;
  readonly showlegend?: boolean;
  readonly legendgroup?: string;
}

/** Boxes from quantiles that are already computed, lying. */
export interface BoxTrace {
  readonly type: "box";
  readonly orientation: "h";
  readonly name: string;
  readonly y: readonly number[];
  readonly q1: readonly number[];
  readonly median: readonly number[];
  readonly q3: readonly number[];
  readonly lowerfence: readonly number[];
  readonly upperfence: readonly number[];
  readonly width?: number;
  readonly fillcolor?: string;
  readonly line?: { readonly color?: string; readonly width?: number };
  readonly whiskerwidth?: number;
  readonly hoverinfo?: "x" | "skip";
  readonly showlegend?: boolean;
  readonly legendgroup?: string;
}

/** A matrix as coloured cells. */
export interface HeatMapTrace {
  readonly type: "heatmap";
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Rows from bottom to top; null for cells that are left empty. */
  readonly z: readonly (readonly (number | null)[])[];
  readonly zmin: number;
  readonly zmax: number;
  readonly colorscale: readonly (readonly [number, string])[];
  readonly text?: readonly (readonly string[])[];
  readonly texttemplate?: string;
  readonly textfont?: { readonly size?: number; readonly color?: string };
  readonly customdata?: readonly (readonly (readonly string[])[])[];
  readonly hovertemplate?: string;
  readonly xgap?: number;
  readonly ygap?: number;
  readonly hoverongaps?: false;
  readonly showscale: boolean;
  readonly colorbar?: {
    readonly title: {
      readonly text: string;
      readonly side: "right";
      readonly font: { readonly size: number };
    };
    readonly thickness: number;
    readonly outlinewidth: 0;
    readonly tickformat?: string;
    readonly len?: number;
  };
  readonly showlegend?: boolean;
  readonly legendgroup?: string;
}

/** Nested rectangles whose areas are counts. */
export interface TreeMapTrace {
  readonly type: "treemap";
  readonly ids: readonly string[];
  readonly labels: readonly string[];
  readonly parents: readonly string[];
  readonly values: readonly number[];
  readonly branchvalues: "total";
  readonly sort?: boolean;
  readonly textinfo: string;
  readonly textfont?: { readonly size?: number };
  readonly hovertemplate?: string;
  readonly marker: {
    readonly colors: readonly string[];
    readonly line?: { readonly color?: string; readonly width?: number };
    readonly pad?: { readonly t?: number; readonly l?: number; readonly r?: number; readonly b?: number };
    readonly cornerradius?: number;
  };
  readonly tiling?: { readonly pad?: number };
  readonly pathbar?: { readonly visible: boolean };
  readonly domain?: { readonly x: readonly [number, number]; readonly y: readonly [number, number] };
  readonly showlegend?: boolean;
  readonly legendgroup?: string;
}

/** Distances from the point to the ends of its interval. */
export interface ErrorBars {
  readonly type: "data";
  readonly symmetric: false;
  readonly array: readonly number[];
  readonly arrayminus: readonly number[];
  readonly color?: string;
  readonly thickness?: number;
  readonly width?: number;
}

export interface Axis {
  readonly title?: {
    readonly text: string;
    readonly standoff?: number;
    readonly font?: { readonly size: number };
  };
  readonly type?: "linear" | "log";
  readonly range?: readonly [number, number];
  readonly tickmode?: "array";
  readonly tickvals?: readonly number[];
  readonly ticktext?: readonly string[];
  readonly tickformat?: string;
  readonly tickangle?: number;
  readonly nticks?: number;
  readonly ticks?: "" | "outside";
  readonly showgrid?: boolean;
  readonly showline?: boolean;
  readonly zeroline?: boolean;
  readonly automargin?: boolean;
  readonly rangemode?: "tozero" | "normal";
  readonly fixedrange?: boolean;
  readonly ticklen?: number;
  /** Pixels between the tick labels and the axis. */
  readonly ticklabelstandoff?: number;
  readonly zerolinecolor?: string;
  readonly zerolinewidth?: number;
}

export interface Line {
  readonly type: "line" | "rect";
  readonly xref?: string;
  readonly yref?: string;
  readonly x0: number;
  readonly x1: number;
  readonly y0: number;
  readonly y1: number;
  readonly layer?: "below" | "above";
  readonly fillcolor?: string;
  readonly line: { readonly color?: string; readonly width: number; readonly dash?: Dash };
}

export interface Annotation {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly xref?: string;
  readonly yref?: string;
  readonly xanchor?: "left" | "right" | "center";
  readonly yanchor?: "top" | "middle" | "bottom";
  readonly xshift?: number;
  readonly yshift?: number;
  readonly showarrow: false;
  readonly align?: "left" | "right" | "center";
  readonly font?: { readonly size?: number; readonly color?: string };
}

export interface FigureLayout {
  readonly title: {
    readonly text: string;
    readonly subtitle?: { readonly text: string };
    readonly x: number;
    readonly xref: "container";
    readonly xanchor: "left";
    readonly y: number;
    readonly yref: "container";
    readonly yanchor: "top";
    readonly pad?: { readonly l?: number; readonly t?: number };
  };
  /** Pixels at scale 1. */
  readonly height: number;
  /** Pixels at scale 1; a page stretches the figure to its column instead. */
  readonly width?: number;
  readonly margin: { readonly l: number; readonly r: number; readonly t: number; readonly b: number };
  readonly xaxis: Axis;
  readonly yaxis: Axis;
  readonly legend?: {
    readonly orientation: "h" | "v";
    readonly x: number;
    readonly y: number;
    readonly xanchor: "left" | "right";
    readonly yanchor: "bottom" | "top";
    readonly yref?: "paper" | "container";
    readonly xref?: "paper" | "container";
    readonly traceorder?: "normal";
    /** Pixels between the groups of a legend. */
    readonly tracegroupgap?: number;
  };
  readonly showlegend?: boolean;
  readonly shapes?: readonly Line[];
  readonly annotations?: readonly Annotation[];
  readonly hovermode?: "closest" | "x unified" | "y unified";
  readonly barmode?: "stack";
  /** Texts on bars and tiles are at least this large; those that do not fit are hidden. */
  readonly uniformtext?: { readonly minsize: number; readonly mode: "hide" };
  /** Colours of the page around the data; replaced by the page in dark mode. */
  readonly template: FigureTemplate;
}

/** A layout of a figure that may have no axes. */
export type AnyLayout = Omit<FigureLayout, "xaxis" | "yaxis"> &
  Partial<Pick<FigureLayout, "xaxis" | "yaxis">>;

/** Everything that differs between light and dark: text, background and rules. */
export interface FigureTemplate {
  readonly layout: {
    readonly font: { readonly family: string; readonly size: number; readonly color: string };
    readonly paper_bgcolor: string;
    readonly plot_bgcolor: string;
    readonly xaxis: TemplateAxis;
    readonly yaxis: TemplateAxis;
    readonly title: {
      readonly font: { readonly size: number; readonly weight: number };
      readonly subtitle: { readonly font: { readonly size: number; readonly color: string } };
    };
    readonly hoverlabel: {
      readonly bgcolor: string;
      readonly bordercolor: string;
      readonly font: { readonly color: string };
    };
    readonly modebar: {
      readonly bgcolor: string;
      readonly color: string;
      readonly activecolor: string;
    };
  };
}

interface TemplateAxis {
  readonly gridcolor: string;
  readonly linecolor: string;
  readonly zerolinecolor: string;
  readonly tickcolor: string;
}
