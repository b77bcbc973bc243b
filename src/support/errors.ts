/** Where a problem is: what the user has to open to mend it. */
export interface ErrorLocation {
  /** Path as the user gave it. */
  readonly file?: string;
  /** Line in the file, counted from 1. */
  readonly line?: number;
  /** Row of a table or array, counted from 1. */
  readonly row?: number;
  /** Field name, or a dotted path into a configuration. */
  readonly field?: string;
}

/**
 * A problem that the user can mend: it prints as one line that names the place and the cure, and the command exits
 * with a non-zero code. Anything else that is thrown is a defect of the kit and keeps its stack.
 */
export class KitError extends Error {
  override readonly name = "KitError";
  readonly location: ErrorLocation;
  readonly cure: string;

  /**
   * @param problem what is wrong, with the offending value, without a full stop
   * @param cure what to do about it, an imperative without a full stop
   * @param location where it is
   */
  constructor(problem: string, cure: string, location: ErrorLocation = {}, options?: ErrorOptions) {
    super(`${describeLocation(location)}${problem}. To mend it: ${cure}.`.replace(/\s*\n\s*/g, " "), options);
    this.location = location;
    this.cure = cure;
  }
}

function describeLocation({ file, line, row, field }: ErrorLocation): string {
  const place = [
    file === undefined ? undefined : line === undefined ? file : `${file}:${line}`,
    row === undefined ? undefined : `row ${row}`,
    field === undefined ? undefined : `field "${field}"`,
  ].filter((part) => part !== undefined);
  return place.length === 0 ? "" : `${place.join(", ")}: `;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error ("ENOENT", "ENOSPC", ...), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return undefined;
}
