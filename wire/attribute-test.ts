import { expressionIn } from './definition-text.ts';
import type { AttributeTest } from './model.ts';

/** What makes a text a regular expression; `?` and `+` alone do not, since they stand in URLs. */
const REGEX_ONLY = /[\\^$*|()[\]{}]|\.\+/;
const ANY = String.raw`\.\*`;
/** Characters that mean themselves, and escaped ones. */
const LITERAL = String.raw`((?:[^\\^$*+?.|()[\]{}]|\\[^A-Za-z0-9])+)`;
const EXACT = new RegExp(`^\\^${LITERAL}\\$$`);
const PREFIX = new RegExp(`^\\^${LITERAL}(?:${ANY}\\$?)?$`);
const SUFFIX = new RegExp(`^(?:\\^?${ANY})?${LITERAL}\\$$`);

/**
 * What a filter of DSL 1.0 asks of an attribute ("Event filter": a literal, a regular expression or a runtime
 * expression). The specification does not say whether an expression must match the whole value, so only an anchored one
 * becomes `exact`, `prefix` or `suffix`: these never refuse what the runtime would take.
 */
export function attributeTestOf(text: string): AttributeTest {
  if (expressionIn(text) !== undefined) return { test: 'runtime', expression: text };
  if (!REGEX_ONLY.test(text)) return { test: 'exact', value: text };
  const forms = [
    ['exact', EXACT],
    ['prefix', PREFIX],
    ['suffix', SUFFIX],
  ] as const;
  for (const [test, form] of forms) {
    const value = form.exec(text)?.[1];
    if (value !== undefined) return { test, value: value.replace(/\\(.)/g, '$1') };
  }
  return { test: 'runtime', expression: text };
}

/** Whether a value may pass what only the runtime can judge: where that is a regular expression, it says so of any part of it. */
export function mayPass(expression: string, value: string): boolean {
  try {
    return expressionIn(expression) === undefined && new RegExp(expression).test(value);
  } catch {
    return false;
  }
}
