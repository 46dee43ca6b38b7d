import { createTwoFilesPatch } from 'diff';
import type { Compared } from './apply.ts';
import { called, type LiveObject, nameOf } from './cluster.ts';
import { yamlOf } from './plan-text.ts';

/** What the API server writes by itself. */
const SERVER_FIELDS = ['creationTimestamp', 'generation', 'managedFields', 'resourceVersion', 'selfLink', 'uid'];
const CONTEXT = 3;

/** The difference as a unified diff; '' where there is none. */
export function diffText({ object, before, after }: Compared): string {
  return patch(called(object), before && textOf(before), textOf(after));
}

/** An object that would be removed, as a unified diff. */
export function removalText(object: LiveObject): string {
  return patch(called(nameOf(object)), textOf(object), undefined);
}

function patch(name: string, before: string | undefined, after: string | undefined): string {
  if (before === after) return '';
  const fileOf = (text: string | undefined) => (text === undefined ? '/dev/null' : name);
  const options = {
    context: CONTEXT,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  };
  return createTwoFilesPatch(fileOf(before), fileOf(after), before ?? '', after ?? '', '', '', options);
}

function textOf({ status: _status, ...object }: LiveObject): string {
  const own = Object.entries(object.metadata).filter(([name]) => !SERVER_FIELDS.includes(name));
  return yamlOf({ ...object, metadata: Object.fromEntries(own) });
}
