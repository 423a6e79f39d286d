/** One YAML file, and the place of each of its fields. */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type Document,
} from 'yaml';
import type { Problem } from '../../domain/configuration/problems.ts';

export interface YamlFile {
  file: string;
  /** Undefined for an empty file. */
  value: unknown;
  /** `file:line:column` of a field, or of the nearest field around a missing one. */
  locate: (path: PropertyKey[]) => string;
}

/** Reads YAML: gives the file's value, or its syntax errors. */
export function readYaml(file: string, text: string): YamlFile | { problems: Problem[] } {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  // yaml's own message would quote the line, which may hold a secret.
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const document = 'empty' in documents ? undefined : documents[0];
  if (document === undefined) return { file, value: undefined, locate: () => at(0) };
  const faults = documents.flatMap((each) => [...each.errors, ...each.warnings]);
  const problems = faults.map((fault) => ({ path: '', message: fault.message, at: at(fault.pos[0]) }));
  const second = documents[1];
  if (second !== undefined) {
    problems.push({ path: '', message: 'expected one YAML document per file', at: at(second.range[0]) });
  }
  if (problems.length > 0) return { problems };
  try {
    return {
      file,
      value: document.toJS() ?? undefined,
      locate: (path) => at(offsetOf(document, path)),
    };
  } catch (error) {
    return { problems: [{ path: '', message: error instanceof Error ? error.message : String(error), at: at(0) }] };
  }
}

function offsetOf(document: Document.Parsed, path: PropertyKey[]): number {
  let node: Node | undefined | null = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair: Pair | undefined = node.items.find((item) => isScalar(item.key) && String(item.key.value) === part);
      if (pair === undefined) return offset;
      offset = isScalar(pair.key) ? (pair.key.range?.[0] ?? offset) : offset;
      node = isNode(pair.value) ? pair.value : undefined;
    } else if (isSeq(node)) {
      const item: unknown = node.items[Number(part)];
      if (!isNode(item)) return offset;
      offset = item.range?.[0] ?? offset;
      node = item;
    } else {
      return offset;
    }
  }
  return offset;
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}
