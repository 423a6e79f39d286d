/** The one way in which words become part of a line for a POSIX shell. */

/** A word that a POSIX shell takes as it is. It can't hold a NUL, as no argument of a program can. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A command as a line for a POSIX shell, which runs it with exactly these words. */
export function shellLine(argv: readonly string[]): string {
  return argv.map((word) => quoted(word)).join(' ');
}
