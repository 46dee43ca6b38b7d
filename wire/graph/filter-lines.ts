import { isObject, type JsonObject, objectsIn } from '../definition-text.ts';
import { type DiagramLine, shortened } from './diagram.ts';

/** What a Trigger asks of events, a line each. `filters` counts where it is given, as Knative has it. */
export function filterLines(spec: JsonObject): readonly DiagramLine[] {
  const filters = objectsIn(spec['filters']);
  const { filter } = spec;
  const attributes = isObject(filter) && isObject(filter['attributes']) ? filter['attributes'] : {};
  const texts = filters.length > 0 ? filters.flatMap(textsOf) : textsOf({ exact: attributes });
  return texts.map((text) => ({ text: shortened(text), style: 'consumed' }));
}

/** Of one filter; each of the texts must hold. */
function textsOf(filter: JsonObject): string[] {
  return Object.entries(filter).flatMap(([dialect, value]) => {
    if (dialect === 'cesql') return [String(value)];
    if (dialect === 'all') return objectsIn(value).flatMap(textsOf);
    if (dialect === 'any')
      return [
        objectsIn(value)
          .map((one) => textsOf(one).join(' and '))
          .join(' or '),
      ];
    if (dialect === 'not') return isObject(value) ? [`not (${textsOf(value).join(' and ')})`] : [];
    if (!isObject(value)) return [];
    return Object.entries(value).map(([name, wanted]) => attributeText(dialect, name, String(wanted)));
  });
}

function attributeText(dialect: string, name: string, wanted: string): string {
  if (dialect === 'prefix') return `${name} = ${wanted}…`;
  return dialect === 'suffix' ? `${name} = …${wanted}` : `${name} = ${wanted}`;
}
