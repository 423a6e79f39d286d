/** The private keys that decrypt backups: files of the worker. */
import { readFile } from 'node:fs/promises';
import { Decrypter } from 'age-encryption';
import { messageOf, SalvorError } from '../../domain/errors.ts';

/**
 * The private keys in identity files as `age-keygen` writes them: one per line, with comments and empty lines in
 * between.
 * @throws SalvorError `InvalidConfiguration`, naming the file and line, never the key
 */
export async function readIdentities(files: { file: string }[]): Promise<string[]> {
  const identities: string[] = [];
  for (const { file } of files) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new SalvorError('InvalidConfiguration', `the identity file ${file} can't be read: ${messageOf(error)}`, {
        cause: error,
      });
    });
    for (const [index, line] of text.split('\n').entries()) {
      const identity = line.trim();
      if (identity === '' || identity.startsWith('#')) continue;
      if (!isIdentity(identity)) {
        throw new SalvorError(
          'InvalidConfiguration',
          `line ${index + 1} of the identity file ${file} is not an age identity; expected AGE-SECRET-KEY-1…`,
        );
      }
      identities.push(identity);
    }
  }
  return identities;
}

function isIdentity(text: string): boolean {
  try {
    new Decrypter().addIdentity(text);
    return true;
  } catch {
    return false;
  }
}
