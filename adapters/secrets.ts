/** Secrets are references until they are used. */
import { readFile } from 'node:fs/promises';
import type { SecretRef } from '../domain/values.ts';
import { messageOf, SalvorError } from '../domain/errors.ts';
import { environmentVariable } from './environment.ts';

/**
 * The value of a secret; one line break at the end of the file is dropped.
 * @throws SalvorError `InvalidConfiguration`, naming the reference and never the value
 */
export async function readSecret(ref: SecretRef): Promise<string> {
  if ('env' in ref) {
    const value = environmentVariable(ref.env);
    if (value !== undefined) return value;
    throw new SalvorError(
      'InvalidConfiguration',
      `the environment variable ${ref.env} is not set; set it to the secret`,
    );
  }
  let text: string;
  try {
    text = await readFile(ref.file, 'utf8');
  } catch (error) {
    const problem = `the secret file ${ref.file} can't be read: ${messageOf(error)}`;
    throw new SalvorError('InvalidConfiguration', problem, { cause: error });
  }
  const value = text.replace(/\r?\n$/, '');
  if (value !== '') return value;
  throw new SalvorError('InvalidConfiguration', `the secret file ${ref.file} is empty; write the secret to it`);
}
