/** What a restore removes, brings back and reverts. */
import { CHANGE_KINDS, type ChangeKind, type Changes, type TypeChanges } from '../../domain/restore/changes.ts';
import { formatCount, type Look, paint, plain } from './format.ts';
import { renderTable } from './table.ts';

const EXAMPLES = 5;
const TITLES: Record<ChangeKind, string> = { vanish: 'vanish', comeBack: 'come back', revert: 'revert' };

/** Renders a few lines: losses first, by type, with some of the names. */
export function renderChanges(changes: Changes, look: Look): string {
  const { comparedAtRevision, types } = changes;
  const noise = noiseLine(changes, look);
  if (types.length === 0) {
    return [
      `Nothing changes: revision ${comparedAtRevision} of the live cluster holds what the backup holds`,
      ...noise,
    ].join('\n');
  }
  return [
    `Against revision ${comparedAtRevision} of the live cluster: ${CHANGE_KINDS.map((kind) => inWords(kind, changes[kind], look)).join(', ')}`,
    '',
    renderTable(
      ['type', ...CHANGE_KINDS.map((kind) => TITLES[kind])],
      types.map((type) => [type.type, ...CHANGE_KINDS.map((kind) => formatCount(type[kind]))]),
      look,
      { right: CHANGE_KINDS.map((kind) => TITLES[kind]) },
    ),
    ...CHANGE_KINDS.flatMap((kind) => exampleLines(kind, types, look)),
    ...noise,
  ].join('\n');
}

function inWords(kind: ChangeKind, count: number, look: Look): string {
  const text = `${formatCount(count)} ${kind === 'vanish' ? 'objects ' : ''}${TITLES[kind]}`;
  return kind === 'vanish' && count > 0 ? paint(look, 'yellow', text) : text;
}

function exampleLines(kind: ChangeKind, types: TypeChanges[], look: Look): string[] {
  const lines = types.flatMap((type) => {
    const shown = type.examples[kind].slice(0, EXAMPLES).map((name) => plain(name));
    if (shown.length === 0) return [];
    const more = type[kind] - shown.length;
    return [`  ${plain(type.type)}: ${shown.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`];
  });
  return lines.length === 0 ? [] : ['', paint(look, 'dim', `${TITLES[kind]}:`), ...lines];
}

function noiseLine({ noise }: Changes, look: Look): string[] {
  const count = CHANGE_KINDS.reduce((sum, kind) => sum + noise[kind], 0);
  if (count === 0) return [];
  return ['', paint(look, 'dim', `Not counted: ${formatCount(count)} of ${noise.types.join(', ')}`)];
}
