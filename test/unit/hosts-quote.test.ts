import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { shellLine } from '../../adapters/hosts/quote.ts';
import { ODD_WORDS, words } from '../support/odd-words.ts';

/** What programs see of a line that a shell was given. */
function seenBy(shell: string, argv: string[]): string[] {
  const output = execFileSync(shell, ['-c', shellLine(['printf', '%s\\0', ...argv])], { encoding: 'utf8' });
  return output.split('\0').slice(0, -1);
}

for (const shell of ['/bin/sh', '/bin/bash'].filter((path) => existsSync(path))) {
  test(`every word reaches a program through ${shell} as it was`, () => {
    for (const word of ODD_WORDS) assert.deepEqual(seenBy(shell, [word]), [word]);
    fc.assert(
      fc.property(words, (argv) => {
        assert.deepEqual(seenBy(shell, argv), argv);
      }),
      { numRuns: 200 },
    );
  });
}
