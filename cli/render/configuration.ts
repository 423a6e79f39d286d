/** What `config check` found. */
import type { Problem } from '../../domain/configuration/problems.ts';
import { type Look, paint, plain } from './format.ts';

export interface ConfigurationCheck {
  path: string;
  valid: boolean;
  clusters: string[];
  problems: Problem[];
  warnings: Problem[];
}

export function renderConfigurationCheck(
  { path, valid, clusters, problems, warnings }: ConfigurationCheck,
  look: Look,
): string {
  const line = ({ at, path: field, message }: Problem) =>
    plain([at, `${field ? `${field}: ` : ''}${message}`].filter(Boolean).join(' '));
  return [
    valid
      ? `${paint(look, 'green', '✔')} ${plain(path)} is valid: ${clusters.join(', ') || 'no clusters'}`
      : `${paint(look, 'red', '✖')} ${plain(path)} is not valid`,
    ...problems.map((problem) => `  ${paint(look, 'red', 'problem')}  ${line(problem)}`),
    ...warnings.map((warning) => `  ${paint(look, 'yellow', 'warning')}  ${line(warning)}`),
  ].join('\n');
}
