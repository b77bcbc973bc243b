import { InvalidArgumentError } from "commander";

/** Reads an option's value as a whole number of at least 1. */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError("give a whole number of at least 1");
  return number;
}
