/** The search attributes by which Temporal lists operations. */
import { defineSearchAttributeKey, type SearchAttributePair } from '@temporalio/common';
import { SEARCH_ATTRIBUTES } from '../domain/operations/common.ts';
import type { Operation } from '../domain/operations/index.ts';

export const CLUSTER = defineSearchAttributeKey(SEARCH_ATTRIBUTES.cluster, 'KEYWORD');
export const OPERATION = defineSearchAttributeKey(SEARCH_ATTRIBUTES.operation, 'KEYWORD');

export function searchAttributesOf(operation: Operation, cluster: string): SearchAttributePair[] {
  return [
    { key: CLUSTER, value: cluster },
    { key: OPERATION, value: operation },
  ];
}
