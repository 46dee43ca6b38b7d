import type { ConsumedEvent, Workflow } from '../model.ts';
import { type DiagramLine, shortened } from './diagram.ts';

/** Asks for the events of the steps of a workflow. */
export interface StepEvents {
  /** The lines of those at this JSON pointer of the definition or below it, but not of a deeper pointer that was asked for. */
  linesAt(pointer: string): readonly DiagramLine[];
  isWaitedFor(pointer: string): boolean;
  isSent(pointer: string): boolean;
}

/** `pointers`: of all steps that are drawn. */
export function stepEvents({ consumes, emits }: Workflow, pointers: readonly string[]): StepEvents {
  const deepestFirst = [...pointers].toSorted((a, b) => b.length - a.length);
  const stepOf = (path: string) => deepestFirst.find((pointer) => path === pointer || path.startsWith(`${pointer}/`));
  const consumedAt = Map.groupBy(consumes, ({ path }) => stepOf(path));
  const emittedAt = Map.groupBy(emits, ({ path }) => stepOf(path));
  return {
    linesAt: (pointer) =>
      unique([
        ...(consumedAt.get(pointer) ?? []).map(consumedLine),
        ...(emittedAt.get(pointer) ?? []).map(({ type, reference }) => ({
          text: `⇢ ${shortened(type ?? reference ?? 'an event')}`,
          style: 'emitted' as const,
        })),
      ]),
    isWaitedFor: (pointer) => consumedAt.has(pointer),
    isSent: (pointer) => emittedAt.has(pointer),
  };
}

function consumedLine(event: ConsumedEvent): DiagramLine {
  const together = event.group.mode === 'all' ? 'and ' : event.group.mode === 'until' ? 'until ' : '';
  return { text: `⇠ ${together}${shortened(typeOf(event))}`, style: 'consumed' };
}

/** What its filter asks of the type; a catch-all says so. */
export function typeOf({ attributes, reference }: ConsumedEvent): string {
  const type = attributes.find(({ name }) => name === 'type');
  if (!type) return reference ?? 'every event';
  if (type.test === 'runtime') return type.expression;
  return { exact: type.value, prefix: `${type.value}…`, suffix: `…${type.value}` }[type.test];
}

function unique(lines: readonly DiagramLine[]): readonly DiagramLine[] {
  return [...new Map(lines.map((line) => [`${line.style} ${line.text}`, line])).values()];
}
