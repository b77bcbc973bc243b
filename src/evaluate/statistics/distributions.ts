/** Distribution functions that tests and intervals need, in float64, against scipy to about 1e-10. */

/** Lanczos' coefficients for g = 7 (Numerical Recipes' form). */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** Natural log of the gamma function, for `x` above 0. */
export function logGamma(x: number): number {
  const [first = 0, ...rest] = LANCZOS;
  const base = x + 6.5;
  const sum = rest.reduce((total, coefficient, index) => total + coefficient / (x + index), first);
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(base) - base + Math.log(sum);
}

/** Probability that a standard normal deviate is at most `z`. */
export function normalCdf(z: number): number {
  const tail = 0.5 * regularizedGammaUpper(0.5, (z * z) / 2);
  return z > 0 ? 1 - tail : tail;
}

/** The `z` below which a standard normal deviate lies with a probability in (0, 1). */
export function normalQuantile(probability: number): number {
  return invert(normalCdf, probability);
}

/** Probability that Student's t is at most `t`; `freedom` may be any number above 0. */
export function studentCdf(t: number, freedom: number): number {
  const square = t * t;
  // Near 0 the tail is 0.5 less a small part, which the other form has with all its digits.
  if (square < freedom) {
    return 0.5 + 0.5 * Math.sign(t) * regularizedBeta(square / (freedom + square), 0.5, freedom / 2);
  }
  const tail = 0.5 * regularizedBeta(freedom / (freedom + square), freedom / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The `t` below which Student's t lies with a probability in (0, 1). */
export function studentQuantile(probability: number, freedom: number): number {
  return invert((t) => studentCdf(t, freedom), probability);
}

/** Probability that a chi-squared deviate with one degree of freedom is above `x`. */
export function chiSquaredTail(x: number): number {
  return regularizedGammaUpper(0.5, x / 2);
}

/** Probability of exactly `hits` in `trials` fair coin tosses. */
export function coinProbability(hits: number, trials: number): number {
  return Math.exp(
    logGamma(trials + 1) - logGamma(hits + 1) - logGamma(trials - hits + 1) - trials * Math.LN2,
  );
}

/** Upper incomplete gamma function over the gamma function: series below `a + 1`, continued fraction above. */
function regularizedGammaUpper(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(-x + a * Math.log(x) - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-16 && n < 1000; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return 1 - scale * sum;
  }
  return scale * lentz(x + 1 - a, (n) => ({ numerator: -n * (n - a), denominator: x + 2 * n + 1 - a }));
}

/** Incomplete beta function over the beta function. */
function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(1 - x, b, a);
  const scale = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log(1 - x));
  const fraction = lentz(1, (n) => {
    const m = Math.floor(n / 2);
    const numerator =
      n % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    return { numerator, denominator: 1 };
  });
  return (scale / a) * fraction;
}

/** One over a continued fraction, by Lentz's method: `1 / (start + n1 / (d1 + n2 / (d2 + ...)))`. */
function lentz(
  start: number,
  step: (n: number) => { readonly numerator: number; readonly denominator: number },
): number {
  const away = (value: number): number => (Math.abs(value) < 1e-300 ? 1e-300 : value);
  let c = 1e300;
  let d = 1 / away(start);
  let result = d;
  for (let n = 1; n < 10_000; n++) {
    const { numerator, denominator } = step(n);
    d = 1 / away(denominator + numerator * d);
    c = away(denominator + numerator / c);
    result *= c * d;
    if (Math.abs(c * d - 1) < 1e-16) break;
  }
  return result;
}

/** Where an increasing function of any real number reaches a probability, by bisection to the last bits. */
function invert(cdf: (x: number) => number, probability: number): number {
  if (!(probability > 0 && probability < 1))
    throw new RangeError(`a probability between 0 and 1, not ${probability}`);
  let [low, high] = [-1, 1];
  while (cdf(low) > probability) low *= 2;
  while (cdf(high) < probability) high *= 2;
  for (let step = 0; step < 200 && high - low > 1e-15 * Math.max(1, Math.abs(low)); step++) {
    const middle = (low + high) / 2;
    if (cdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
