import type { Template } from "./template.js";

/**
 * What a generated text answers under a template: what stands before its first stop text, and of a chain of thought the
 * answer alone. A chain without an answer counts as it is, so that it scores as the wrong answer that it is.
 */
export function answerOf(template: Template, generated: string): string {
  const ends = template.stop.map((stop) => generated.indexOf(stop)).filter((at) => at >= 0);
  const response = generated.slice(0, Math.min(generated.length, ...ends));
  return template.answerIn?.(response) ?? response;
}
