import { didYouMean } from '../core/closest.ts';
import { type Path, pathOf } from '../core/schema.ts';
import type { Definition } from './definition.ts';
import { isObject, type Located, type Oddity, oddityAt } from './definition-text.ts';
import { oddStates } from './states-check.ts';

/** The version of DSL 1.0 whose schema the SDK has; it takes a definition of no other. */
const DSL = '1.0.3';
const MOST_WARNINGS = 3;

/** What a definition has that the schema of its language has not. Runtimes are more tolerant than schemas, so these are warnings. */
export async function schemaWarnings(definition: Definition): Promise<readonly Oddity[]> {
  const { language, text } = definition;
  if (language === '0.8') return [...misspelt(text, MEMBERS['0.8']), ...oddStates(text)];
  const { document } = text.content;
  const { validate } = await import('@serverlessworkflow/sdk');
  try {
    validate('Workflow', { ...text.content, document: { ...(isObject(document) && document), dsl: DSL } });
    return misspelt(text, MEMBERS['1.0']);
  } catch (error) {
    // The SDK has no other way to tell than the text of its error.
    const faults = faultsIn(String(error)).map(({ path, message }) =>
      oddityAt(text.placeOf(path), `by the schema of DSL ${DSL}, ${pathName(path)} ${message}`),
    );
    return [...misspelt(text, MEMBERS['1.0']), ...faults];
  }
}

/** Members of a whole definition. */
const MEMBERS = {
  '0.8': (
    'id key name description version annotations metadata specVersion expressionLang dataInputSchema dataOutputSchema ' +
    'constants secrets auth start timeouts keepActive events functions errors retries autoRetries extensions states'
  ).split(' '),
  '1.0': 'document input output use timeout schedule do evaluate metadata extensions'.split(' '),
};

/** Schemas let further members be; one that is nearly another is no addition. */
function misspelt({ content, placeOf }: Located, known: readonly string[]): Oddity[] {
  return Object.keys(content).flatMap((name) => {
    const hint = known.includes(name) ? '' : didYouMean(name, known);
    return hint === '' ? [] : [oddityAt(placeOf([name]), `definitions have no member ${name}${hint}`)];
  });
}

interface SchemaFault {
  readonly path: Path;
  readonly message: string;
}

/** One for each place, of the deepest places only: a task that fits nothing fails by the schema of every kind of task. */
function faultsIn(text: string): SchemaFault[] {
  const byPath = new Map<string, string[]>();
  for (const [, pointer = '', message = ''] of text.matchAll(/^- (\S*) \| \S+ \| (.*) \| \{.*$/gm))
    byPath.set(pointer, [...(byPath.get(pointer) ?? []), message]);
  const deepest = [...byPath].filter(
    ([pointer]) => ![...byPath.keys()].some((other) => other.startsWith(`${pointer}/`)),
  );
  return deepest.slice(0, MOST_WARNINGS).map(([pointer, messages]) => {
    const path = pathOf(pointer);
    const [message = ''] = messages.filter((one) => !one.includes('oneOf'));
    const missing = new Set(messages.flatMap((one) => /required property '(.*)'/.exec(one)?.[1] ?? []));
    return { path, message: missing.size > 1 ? `must have one of ${[...missing].join(', ')}` : message };
  });
}

function pathName(path: Path): string {
  return path.length === 0 ? 'it' : `/${path.join('/')}`;
}
