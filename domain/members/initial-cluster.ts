/**
 * Updates the initial cluster of a member in the file that sets it: a unit, an environment file, etcd's own file or a
 * script. Pure.
 */
import { SalvorError } from '../errors.ts';

/** The settings that a new member needs; without them it would start a cluster of its own. */
export interface InitialCluster {
  /** As in `m1=https://10.0.0.1:2380,m2=https://10.0.0.2:2380`. */
  cluster: string;
  state: 'new' | 'existing';
}

/** Matches one setting in all the forms that etcd reads: a flag, a variable, and a field of its own file. */
function pattern(setting: string): RegExp {
  const variable = `ETCD_${setting.toUpperCase().replaceAll('-', '_')}`;
  const name = `(?<![\\w-])(?:--?${setting}|${variable}|["']?${setting}["']?(?=\\s*:))(?![\\w-])`;
  return new RegExp(`(${name}["']?(?:\\s*[=:]\\s*|[ \\t]+))(["']?)([^\\s"'\\\\#;]*)`, 'g');
}

const SETTINGS = { cluster: pattern('initial-cluster'), state: pattern('initial-cluster-state') };
const NAMES = { cluster: 'initial-cluster', state: 'initial-cluster-state' };

/**
 * The text with new values for both settings; nothing else in it changes.
 * @param where the node and file, for error messages
 * @throws SalvorError `UnsafeState` unless the text sets each of the two exactly once
 */
export function withInitialCluster(text: string, wanted: InitialCluster, where: string): string {
  const lines = text.split('\n');
  for (const setting of ['cluster', 'state'] as const) {
    const count = lines.reduce(
      (sum, line) => sum + (isComment(line) ? 0 : [...line.matchAll(SETTINGS[setting])].length),
      0,
    );
    if (count !== 1) {
      throw new SalvorError(
        'UnsafeState',
        `${where} sets ${NAMES[setting]} ${count === 0 ? 'nowhere' : `${count} times`}, expected once, as a flag (--${NAMES[setting]}=…), a variable (ETCD_…=…) or a field; ` +
          'a replaced member gets a new value there. Correct the file, or "configuration" of the node',
      );
    }
  }
  return lines
    .map((line) =>
      isComment(line)
        ? line
        : (['cluster', 'state'] as const).reduce(
            (changed, setting) =>
              changed.replace(
                SETTINGS[setting],
                (_match: string, name: string, quote: string) => `${name}${quote}${wanted[setting]}`,
              ),
            line,
          ),
    )
    .join('\n');
}

function isComment(line: string): boolean {
  return /^\s*[#;]/.test(line);
}
