/** The only place that turns words into a line for a POSIX shell. */

/** Quotes a word so that a POSIX shell takes it as it is. It can't hold a NUL, like any argument of a program. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Turns a command into a line for a POSIX shell, which runs it with exactly these words. */
export function shellLine(argv: readonly string[]): string {
  return argv.map((word) => quoted(word)).join(' ');
}
