import { describe, expect, it } from 'vitest';
import { membersIn, predicateIn } from '../../wire/payload-predicate.ts';

const told = (expression: string) => {
  const { constants, isWhole } = predicateIn(expression);
  return [
    ...constants.map(
      ({ member, values }) => `${member.join('.')} = ${values.map((value) => JSON.stringify(value)).join(' | ')}`,
    ),
    isWhole ? 'all' : 'some',
  ];
};

describe('constants of a jq predicate', () => {
  it.each<[string, string[]]>([
    ['.action == "opened"', ['action = "opened"', 'all']],
    ['"opened" == .action', ['action = "opened"', 'all']],
    ['(.action=="opened")', ['action = "opened"', 'all']],
    ['.pull_request.draft == false and .number == -7', ['pull_request.draft = false', 'number = -7', 'all']],
    ['."a b" == "x" and .["c.d"]["e"] == 1.5', ['a b = "x"', 'c.d.e = 1.5', 'all']],
    ['.action == "opened" or .action == "reopened" or .action == "opened"', ['action = "opened" | "reopened"', 'all']],
    ['(.action == "a" or .action == "b") and .x == "y"', ['action = "a" | "b"', 'x = "y"', 'all']],
    ['.action == "opened" and (.commits | length > 0)', ['action = "opened"', 'some']],
    ['.action == "opened" and .n > 3', ['action = "opened"', 'some']],
    ['.s == "a \\" or \\n b"', ['s = "a \\" or \\n b"', 'all']],
    // Nothing certain may be said of these.
    ['.action == "opened" or .draft == false', ['some']],
    ['.action == "opened" or .n > 3', ['some']],
    ['.action == "a" or .action == "b" and .x == 1', ['some']],
    ['.action == "opened" | not', ['some']],
    ['.x, .action == "opened"', ['some']],
    ['.action == "opened" // true', ['some']],
    ['if .a then .b == 1 else true end', ['some']],
    ['.labels[0] == "bug"', ['some']],
    ['.a? == "b"', ['some']],
    ['.action != "opened"', ['some']],
    ['.action == null', ['some']],
    ['.a == .b', ['some']],
    ['. == "x"', ['some']],
    ['["x"] == .y', ['some']],
    ['.a == "\\(.b)"', ['some']],
    ['.a == 1 # and .b == 2', ['some']],
    ['(.a) == 1 and (.b == 2) == true', ['some']],
    ['.a == "x" as $v', ['some']],
    ['.a - 1 == 2', ['some']],
    ['.a = "x"', ['some']],
    ['', ['some']],
    ['(((', ['some']],
  ])('%s', (expression, expected) => expect(told(expression)).toEqual(expected));
});

it.each([
  ['.data.order.id', ['data', 'order', 'id']],
  ['.subject', ['subject']],
  [' .["ab"] ', ['ab']],
  ['.data | .x', undefined],
  ['.a[0]', undefined],
  ['"a"', undefined],
])('the member that %s names is %j', (expression, expected) => expect(membersIn(expression)).toEqual(expected));
