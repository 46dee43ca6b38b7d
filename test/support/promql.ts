import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly metric: string;
  /** Names of the labels it asks for. */
  readonly labels: readonly string[];
}

/** The series a PromQL expression asks for. @throws Error where it is none */
export function selectorsIn(expression: string): readonly Selector[] {
  const selectors: { metric: string; labels: string[] }[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from, to, node }) => {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`no PromQL at ${from}: ${expression}`);
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        selectors.push({ metric: name ? expression.slice(name.from, name.to) : '', labels: [] });
      }
      const isMatched = type.name === 'LabelName' && node.parent?.name === 'UnquotedLabelMatcher';
      if (isMatched) selectors.at(-1)?.labels.push(text);
    },
  });
  return selectors;
}
