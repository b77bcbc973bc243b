/** A word of a command that is shown to be typed in: quoted where a POSIX shell would take it for something else. */
export function shellWord(word: string): string {
  return /^[\w./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
