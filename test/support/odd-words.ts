/** Words that a shell would not pass on unchanged. */
import fc from 'fast-check';

export const ODD_WORDS = [
  '',
  ' ',
  "'",
  `'"'"'`,
  '"',
  '\\',
  "\\'",
  '\n',
  'a\nb\n',
  '\r\n\t\v\u0007',
  '$(touch /tmp/salvor-injected)',
  '`touch /tmp/salvor-injected`',
  '${HOME}',
  '$HOME',
  '!!',
  '*',
  '~',
  '~root',
  '-rf',
  '--',
  '; reboot',
  '&& reboot',
  '| sh',
  '> /tmp/salvor-injected',
  '#',
  'A=b',
  '{a,b}',
  '[a-z]',
  '中文 ñ 🦆',
  '\u202e',
  'x'.repeat(5_000),
] as const;

const word = fc.oneof(
  fc.constantFrom(...ODD_WORDS),
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '(', ')', '`', '\n', ' ', '!', '*', ';', '&', 'a') }),
);

/** Arguments for a program. None contains a NUL, because no argument can. */
export const words = fc.array(
  word.map((text) => text.replaceAll('\0', '')),
  { minLength: 1, maxLength: 6 },
);
