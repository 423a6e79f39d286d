/** The playground, and how to use it. */
import { type Look, paint } from './format.ts';
import { renderFacts, renderTable } from './table.ts';
import { quoted } from '../../adapters/hosts/quote.ts';

/** What is shown of a playground. */
interface World {
  directory: string;
  configFile: string;
  temporalUiUrl: string;
  temporalEnvironment: Record<string, string>;
  kubeconfig?: string;
  /** The command that opens a shell on each node, as arguments. */
  ssh?: string[][];
}

export function renderPlayground(
  { directory, configFile, temporalUiUrl, temporalEnvironment, kubeconfig, ssh = [] }: World,
  look: Look,
): string {
  const variables = {
    ...temporalEnvironment,
    SALVOR_CONFIG: configFile,
    ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }),
  };
  return [
    paint(look, 'green', 'The playground is up.'),
    renderFacts(
      [
        ['files', directory],
        ['Temporal', temporalUiUrl],
      ],
      look,
    ),
    '',
    'Set these variables, then try `salvor backup playground`:',
    ...Object.entries(variables).map(([name, value]) => `  export ${name}=${quoted(value)}`),
    ...ssh.map((argv) => `  ${argv.map(quoted).join(' ')}`),
  ].join('\n');
}

interface Status {
  directory: string;
  parts: { name: string; running: boolean; pid?: number; address: string; log: string }[];
  links: { name: string; url: string }[];
}

export function renderPlaygroundStatus({ directory, parts, links }: Status, look: Look): string {
  if (parts.length === 0) return `There is no playground in ${directory}. Start one: salvor playground up`;
  const rows = parts.map(({ name, running, pid, address, log }) => [
    name,
    running ? { text: 'running', style: 'green' as const } : { text: 'stopped', style: 'red' as const },
    pid === undefined ? '-' : String(pid),
    address,
    log,
  ]);
  return [
    renderTable(['PART', 'STATE', 'PID', 'ADDRESS', 'LOG'], rows, look, { right: ['PID'] }),
    ...links.map(({ name, url }) => `${name}: ${url}`),
  ].join('\n');
}
