import type { SourceDefinition } from './contract.ts';
import { github } from './github/index.ts';

export const sources: readonly SourceDefinition[] = [github];

export function definitionOf(kind: string): SourceDefinition | undefined {
  return sources.find((source) => source.kind === kind);
}
