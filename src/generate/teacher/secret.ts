import { KitError } from "../../support/errors.js";

/** What stands where a key stood. */
const HIDDEN = "[key]";
const SHORTEST_KEY = 8;

/**
 * A key from an environment variable. It is never part of an error.
 * @throws KitError when the variable is not set, or holds what cannot be sent in a header
 */
export function keyFromEnvironment(
  variable: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (!/^[A-Z_][A-Z0-9_]*$/.test(variable)) {
    // Somebody may have given the key itself: what was given is not repeated.
    throw new KitError(
      "this is not the name of an environment variable, in capital letters",
      "give the variable's name, and put the key into the variable",
      { field: "key-env" },
    );
  }
  const key = environment[variable]?.trim();
  if (key === undefined || key === "") {
    throw new KitError(
      "the environment variable for the key is not set",
      `set ${variable} to the key of the endpoint`,
      { field: "key-env" },
    );
  }
  if (!/^[\x21-\x7e]+$/.test(key) || key.length < SHORTEST_KEY) {
    throw new KitError(
      `what is in ${variable} is no key: it has blanks, letters that no header can carry, or fewer than ${SHORTEST_KEY} characters`,
      "copy the key again",
      { field: "key-env" },
    );
  }
  return key;
}

/**
 * A function that takes a key out of any text: as it is, as a URL or as JSON writes it, and in base64. Servers repeat keys in
 * their errors, and anything may come back in a reply.
 */
export function secretRemover(key: string | undefined): (text: string) => string {
  if (key === undefined) return (text) => text;
  const bytes = Buffer.from(key);
  const forms = [
    key,
    encodeURIComponent(key),
    JSON.stringify(key).slice(1, -1),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
  ];
  const distinct = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => distinct.reduce((left, form) => left.replaceAll(form, HIDDEN), text);
}
