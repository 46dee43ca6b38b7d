import { describe, expect, it } from 'vitest';
import { type SeenLease, UpstreamLeases } from '../../controller/upstream-leases.ts';
import type { SourceDefinition } from '../../sources/contract.ts';

const definition = {
  upstream: { leases: /^source-controller\.\d+-of-\d+$/, serviceLabel: '', admissionWebhooks: [] },
} as unknown as SourceDefinition;

const NAME = 'source-controller.00-of-01';
const aLease = (renewal: string, { name = NAME, durationMs = 15_000 } = {}): SeenLease => ({
  name,
  holder: 'pod',
  durationMs,
  renewal,
});
const unheld: SeenLease = { name: NAME, holder: undefined };

/** The state after each look, at these seconds, with looks each second that see the same as the one before. */
function statesOf(looks: readonly (readonly [seconds: number, leases: readonly SeenLease[]])[]): string[] {
  const upstream = new UpstreamLeases([definition]);
  return looks.map(([seconds, leases], index) => {
    const [from, seen] = looks[index - 1] ?? [seconds, []];
    for (let at = from + 1; at < seconds; at += 1) upstream.look(seen, at * 1000);
    upstream.look(leases, seconds * 1000);
    return upstream.stateOf(definition);
  });
}

describe("upstream's controller is told by its Leases", () => {
  it.each<{ name: string; looks: Parameters<typeof statesOf>[0]; states: string[] }>([
    { name: 'no Lease: gone at once', looks: [[0, []]], states: ['gone'] },
    {
      name: 'one that is not renewed: unclear for its whole length, then gone',
      looks: [
        [0, [aLease('a')]],
        [14.9, [aLease('a')]],
        [15, [aLease('a')]],
      ],
      states: ['unclear', 'unclear', 'gone'],
    },
    {
      name: 'one that is renewed: running, until its length has passed without',
      looks: [
        [0, [aLease('a')]],
        [2, [aLease('b')]],
        [16, [aLease('b')]],
        [17, [aLease('b')]],
      ],
      states: ['unclear', 'running', 'running', 'gone'],
    },
    {
      name: 'one that came back: running again',
      looks: [
        [0, [aLease('a')]],
        [20, [aLease('a')]],
        [22, [aLease('b')]],
      ],
      states: ['unclear', 'gone', 'running'],
    },
    {
      name: 'one that was given back: running, until nobody took it for its whole length',
      looks: [
        [0, [aLease('a')]],
        [2, [aLease('b')]],
        [10, [unheld]],
        [24.9, [unheld]],
        [25, [unheld]],
        [26, [aLease('c')]],
      ],
      states: ['unclear', 'running', 'running', 'running', 'gone', 'running'],
    },
    {
      name: 'one that was deleted: running, until it was away for its whole length',
      looks: [
        [0, [aLease('a', { durationMs: 20_000 })]],
        [2, [aLease('b', { durationMs: 20_000 })]],
        [10, [unheld]],
        [12, []],
        [29.9, []],
        [30, []],
        [31, []],
      ],
      states: ['unclear', 'running', 'running', 'running', 'running', 'gone', 'gone'],
    },
    {
      name: 'one that is given back and taken again, again and again: running',
      looks: [
        [0, [aLease('a')]],
        [2, [unheld]],
        [16, [aLease('b')]],
        [18, []],
        [32, [aLease('c')]],
        [34, [unheld]],
        [48, [unheld]],
      ],
      states: ['unclear', 'unclear', 'running', 'running', 'running', 'running', 'running'],
    },
    {
      name: 'one of a few seconds that was given back: has the usual length to be taken again',
      looks: [
        [0, [aLease('a', { durationMs: 1000 })]],
        [0.5, [aLease('b', { durationMs: 1000 })]],
        [1, [unheld]],
        [15.9, [unheld]],
        [16, [unheld]],
      ],
      states: ['unclear', 'running', 'running', 'running', 'gone'],
    },
    {
      name: 'one that nobody has at the start: unclear for the usual length, then gone',
      looks: [
        [0, [unheld]],
        [14.9, [unheld]],
        [15, [unheld]],
      ],
      states: ['unclear', 'unclear', 'gone'],
    },
    {
      name: 'one that was gone stays so when it is cleared away',
      looks: [
        [0, [aLease('a')]],
        [15, [aLease('a')]],
        [16, [unheld]],
        [17, []],
      ],
      states: ['unclear', 'gone', 'gone', 'gone'],
    },
    {
      name: 'one of several buckets is enough, and of other controllers none counts',
      looks: [
        [0, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('a', { name: 'source-controller.01-of-02' })]],
        [2, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('b', { name: 'source-controller.01-of-02' })]],
        [
          16,
          [aLease('a', { name: 'source-controller.00-of-02' }), aLease('b', { name: 'source-controller.01-of-02' })],
        ],
        [17, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('x', { name: 'binding-controller' })]],
        [32, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('y', { name: 'binding-controller' })]],
      ],
      states: ['unclear', 'running', 'running', 'running', 'gone'],
    },
  ])('$name', ({ looks, states }) => expect(statesOf(looks)).toEqual(states));

  it.each([
    ['renewed', aLease('c'), 'running'],
    ['as it was', aLease('b'), 'gone'],
    ['given back', unheld, 'gone'],
  ])('time in which nobody could look does not count: %s', (_name, seen, end) => {
    const upstream = new UpstreamLeases([definition]);
    const stateAt = (seconds: number, lease: SeenLease) => {
      upstream.look([lease], seconds * 1000);
      return upstream.stateOf(definition);
    };
    const states = [stateAt(0, aLease('a')), stateAt(2, aLease('b')), stateAt(100, seen), stateAt(200, seen)];
    expect(states).toEqual(['unclear', 'running', 'running', 'running']);
    // The API server is back: its holder has time to renew it.
    for (let at = 201; at < 230; at += 1) stateAt(at, end === 'running' ? aLease(`renewed at ${at}`) : seen);
    expect(upstream.stateOf(definition)).toBe(end);
  });

  it('nobody knows before the first look; of a kind nobody served there is nothing to know', () => {
    const upstream = new UpstreamLeases([definition]);
    expect(upstream.stateOf(definition)).toBe('unclear');
    expect(upstream.stateOf({} as SourceDefinition)).toBe('gone');
  });

  it('each turn is told, and nothing else', () => {
    const upstream = new UpstreamLeases([definition]);
    const turns: string[] = [];
    upstream.onTurn(() => turns.push(upstream.stateOf(definition)));
    const renewals = `aaabbcc${'c'.repeat(20)}`.split('');
    for (const [second, renewal] of renewals.entries()) upstream.look([aLease(renewal)], second * 1000);
    expect(turns).toEqual(['running', 'gone']);
  });
});
