import type { PayloadConstant } from './model.ts';

/** What is understood of a jq expression. */
export interface Predicate {
  readonly constants: readonly PayloadConstant[];
  /** Whether `constants` say all of it. */
  readonly isWhole: boolean;
}

type Token =
  | { readonly kind: 'member'; readonly member: readonly string[] }
  | { readonly kind: 'constant'; readonly value: string | number | boolean }
  | { readonly kind: 'sign'; readonly sign: string };

const NOTHING: Predicate = { constants: [], isWhole: false };

const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[A-Za-z_$@][\w:]*/y;
const MEMBER = /\.(?:[A-Za-z_]\w*|"(?:[^"\\]|\\.)*"|\["(?:[^"\\]|\\.)*"\])/y;
/** After a member; at the beginning of an expression it makes an array. */
const INDEX = /\["(?:[^"\\]|\\.)*"\]/y;
const SIGN = /==|!=|<=|>=|\/\/|\?\/\/|\|=|[-+*/%]=|[^\s\w]/y;

/**
 * Reads of a jq expression what compares members of the data with constants: `.action == "opened" and .draft == false`,
 * alternatives for one member joined by `or`, parentheses. Of a conjunction with other terms, the terms it knows. An
 * event that the expression accepts always has these constants, so asking for them early refuses none of those.
 */
export function predicateIn(expression: string): Predicate {
  const tokens = tokensOf(expression);
  return tokens ? predicateOf(tokens) : NOTHING;
}

/** The member a jq expression names and nothing else, such as `.pull_request.number`; undefined: it does more. */
export function membersIn(expression: string): readonly string[] | undefined {
  const [token, ...more] = tokensOf(expression) ?? [];
  return token?.kind === 'member' && more.length === 0 ? token.member : undefined;
}

function predicateOf(tokens: readonly Token[]): Predicate {
  // What binds weaker than "or", or starts another syntax, changes the meaning of all around it.
  if (splitAt(tokens, LOOSER).length > 1) return NOTHING;
  const alternatives = splitAt(tokens, new Set(['or']));
  if (alternatives.length > 1) return eitherOf(alternatives.map(predicateOf));
  const terms = splitAt(tokens, new Set(['and']));
  if (terms.length > 1) return allOf(terms.map(predicateOf));
  const inner = insideParentheses(tokens);
  if (inner) return predicateOf(inner);
  return comparisonOf(tokens);
}

const LOOSER = new Set(
  '| , // ?// = |= += -= *= /= %= ; as def reduce foreach if then elif else end try catch label'.split(' '),
);

function comparisonOf(tokens: readonly Token[]): Predicate {
  const [left, sign, right, ...more] = tokens;
  if (!left || !right || more.length > 0 || sign?.kind !== 'sign' || sign.sign !== '==') return NOTHING;
  const pair = left.kind === 'member' ? [left, right] : [right, left];
  const [member, constant] = pair;
  if (member?.kind !== 'member' || constant?.kind !== 'constant') return NOTHING;
  return { constants: [{ member: member.member, values: [constant.value] }], isWhole: true };
}

function allOf(terms: readonly Predicate[]): Predicate {
  return { constants: terms.flatMap(({ constants }) => constants), isWhole: terms.every(({ isWhole }) => isWhole) };
}

/** Alternatives say something together only when each is about the same member and nothing else. */
function eitherOf(alternatives: readonly Predicate[]): Predicate {
  const [first] = alternatives[0]?.constants ?? [];
  const isOfFirst = ({ constants, isWhole }: Predicate) =>
    isWhole && constants.length === 1 && JSON.stringify(constants[0]?.member) === JSON.stringify(first?.member);
  if (!first || !alternatives.every(isOfFirst)) return NOTHING;
  const values = alternatives.flatMap(({ constants }) => constants.flatMap((constant) => constant.values));
  return { constants: [{ member: first.member, values: [...new Set(values)] }], isWhole: true };
}

/** The parts between these signs, those within parentheses and brackets aside. */
function splitAt(tokens: readonly Token[], signs: ReadonlySet<string>): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.kind === 'sign') depth += '([{'.includes(token.sign) ? 1 : ')]}'.includes(token.sign) ? -1 : 0;
    if (depth === 0 && token.kind === 'sign' && signs.has(token.sign)) parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** undefined: the whole is not one pair of parentheses. */
function insideParentheses(tokens: readonly Token[]): readonly Token[] | undefined {
  const isSign = (token: Token | undefined, sign: string) => token?.kind === 'sign' && token.sign === sign;
  if (!isSign(tokens[0], '(') || !isSign(tokens.at(-1), ')')) return undefined;
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (isSign(token, '(')) depth += 1;
    if (isSign(token, ')')) depth -= 1;
    if (depth === 0 && index < tokens.length - 1) return undefined;
  }
  return tokens.slice(1, -1);
}

/** undefined: it holds a comment, or a string with an interpolation. */
function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at < text.length) {
    if (take(/\s+/y) !== undefined) continue;
    if (text[at] === '#') return undefined;
    const member = membersAt(take);
    if (member) {
      tokens.push({ kind: 'member', member });
      continue;
    }
    const string = take(STRING);
    if (string !== undefined) {
      const value = textIn(string);
      if (value === undefined) return undefined;
      tokens.push({ kind: 'constant', value });
      continue;
    }
    const number = take(NUMBER);
    if (number !== undefined) {
      tokens.push({ kind: 'constant', value: Number(number) });
      continue;
    }
    const word = take(WORD);
    if (word === 'true' || word === 'false') tokens.push({ kind: 'constant', value: word === 'true' });
    else tokens.push({ kind: 'sign', sign: word ?? take(SIGN) ?? text[at++] ?? '' });
  }
  return tokens;
}

/** `.a.b`, `."a"`, `.["a"]["b"]`; undefined: no member stands here. */
function membersAt(take: (pattern: RegExp) => string | undefined): string[] | undefined {
  const member: string[] = [];
  for (let part = take(MEMBER); part !== undefined; part = take(MEMBER) ?? take(INDEX)) {
    const name = part.replace(/^\./, '').replace(/^\[|\]$/g, '');
    const text = name.startsWith('"') ? textIn(name) : name;
    if (text === undefined) return undefined;
    member.push(text);
  }
  return member.length > 0 ? member : undefined;
}

/** The value of a jq string; undefined: it has an interpolation, or is no string of JSON. */
function textIn(literal: string): string | undefined {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return undefined;
  }
}
