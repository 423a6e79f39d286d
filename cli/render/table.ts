/** Tables without lines: columns are enough, and they can be copied from a terminal. */
import Table from 'cli-table3';
import { type Look, paint, plain } from './format.ts';

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/** A cell: text, or text with its own style. */
export type Cell = string | { text: string; style: 'green' | 'red' | 'yellow' | 'dim' | 'bold' };

/** Renders rows below a head; the columns in `right` are aligned to the right. */
export function renderTable(
  head: string[],
  rows: Cell[][],
  look: Look,
  { right = [] }: { right?: string[] } = {},
): string {
  const table = new Table({
    head: head.map((name) => paint(look, 'dim', name)),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: head.map((name) => (right.includes(name) ? 'right' : 'left')),
  });
  table.push(...rows.map((row) => row.map((cell) => renderCell(cell, look))));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

function renderCell(cell: Cell, look: Look): string {
  return typeof cell === 'string' ? plain(cell) : paint(look, cell.style, plain(cell.text));
}

/** Renders names and values in two indented columns. A value of several lines stays in its column. */
export function renderFacts(facts: [name: string, value: string | string[]][], look: Look): string {
  const width = Math.max(...facts.map(([name]) => name.length));
  return facts
    .flatMap(([name, value]) =>
      [value]
        .flat()
        .map((line, index) => `  ${paint(look, 'dim', (index === 0 ? name : '').padEnd(width))}  ${plain(line)}`),
    )
    .join('\n');
}
