/** Columns `[begin, end)` of a matrix, or places of a vector. */
export type Columns = readonly [begin: number, end: number];

/**
 * Some columns of a parameter, as a checkpoint stores them.
 * @param values of the whole parameter, row by row
 * @param shape of the whole parameter
 * @param transposed whether the part is stored column by column
 */
export function partOf(
  values: Float32Array,
  shape: readonly number[],
  [begin, end]: Columns,
  transposed: boolean,
): Float32Array {
  const columns = shape.at(-1) ?? 1;
  const rows = values.length / columns;
  if (begin === 0 && end === columns && !transposed) return values;
  const width = end - begin;
  const part = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < width; column++) {
      const place = transposed ? column * rows + row : row * width + column;
      part[place] = values[row * columns + begin + column] ?? NaN;
    }
  }
  return part;
}

/** The opposite of `partOf`: a parameter from all its parts. */
export function joinParts(
  parts: readonly { readonly columns: Columns; readonly values: Float32Array }[],
  shape: readonly number[],
  transposed: boolean,
): Float32Array {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && !transposed) return only.values;
  const columns = shape.at(-1) ?? 1;
  const rows = shape.reduce((product, size) => product * size, 1) / columns;
  const joined = new Float32Array(rows * columns);
  for (const {
    columns: [begin, end],
    values,
  } of parts) {
    const width = end - begin;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < width; column++) {
        const place = transposed ? column * rows + row : row * width + column;
        joined[row * columns + begin + column] = values[place] ?? NaN;
      }
    }
  }
  return joined;
}
