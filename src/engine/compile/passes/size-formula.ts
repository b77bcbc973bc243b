/** Sizes of the inputs of a recording, by name. */
export type Sizes = Readonly<Record<string, number>>;

/** `constant + factor * (product of the named sizes)`; without names, just the constant. */
export interface Formula {
  readonly constant: number;
  readonly factor: number;
  readonly product: readonly string[];
}

/**
 * The formula of a number that was seen at several sizes, e.g. 10 at (2, 5) and 21 at (3, 7): the product of both. Four
 * recordings with sizes that share no factors leave one candidate at most; where two fit all the same, they are told
 * apart by nothing, so it is neither.
 * @param values one for each recording
 * @returns undefined when none fits, or more than one
 */
export function fitFormula(values: readonly number[], sizes: readonly Sizes[]): Formula | undefined {
  const [first = NaN] = values;
  if (values.every((value) => value === first)) return { constant: first, factor: 0, product: [] };
  const candidates = productsOf(Object.keys(sizes[0] ?? {})).flatMap((product) => {
    const factors = sizes.map((recorded) => product.reduce((sum, name) => sum * (recorded[name] ?? NaN), 1));
    return fitLine(values, factors).map((line) => ({ ...line, product }));
  });
  const plain = candidates.filter(({ constant }) => constant === 0);
  const chosen = plain.length > 0 ? plain : candidates;
  return chosen.length === 1 ? chosen[0] : undefined;
}

function fitLine(
  values: readonly number[],
  factors: readonly number[],
): { readonly constant: number; readonly factor: number }[] {
  const [firstValue = NaN] = values;
  const [firstFactor = NaN] = factors;
  const other = factors.findIndex((factor) => factor !== firstFactor);
  const factor = ((values[other] ?? NaN) - firstValue) / ((factors[other] ?? NaN) - firstFactor);
  const constant = firstValue - factor * firstFactor;
  const fits = values.every((value, index) => value === constant + factor * (factors[index] ?? NaN));
  return fits && Number.isInteger(factor) && factor !== 0 ? [{ constant, factor }] : [];
}

/** Every non-empty choice of names. */
function productsOf(names: readonly string[]): string[][] {
  return names
    .reduce<string[][]>((chosen, name) => [...chosen, ...chosen.map((part) => [...part, name])], [[]])
    .filter(({ length }) => length > 0);
}
