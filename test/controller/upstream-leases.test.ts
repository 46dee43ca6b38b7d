import { describe, expect, it } from 'vitest';
import { type SeenLease, UpstreamLeases } from '../../controller/upstream-leases.ts';
import type { SourceDefinition } from '../../sources/contract.ts';

const definition = {
  upstream: { leases: /^source-controller\.\d+-of-\d+$/, serviceLabel: '', admissionWebhooks: [] },
} as unknown as SourceDefinition;

const aLease = (renewal: string, rest: Partial<SeenLease> = {}): SeenLease => ({
  name: 'source-controller.00-of-01',
  holder: 'pod',
  durationMs: 15_000,
  renewal,
  ...rest,
});

/** The state after each look, at these seconds. */
function statesOf(looks: readonly (readonly [seconds: number, leases: readonly SeenLease[]])[]): string[] {
  const upstream = new UpstreamLeases([definition]);
  return looks.map(([seconds, leases]) => {
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
      name: 'one that was renewed while nobody could look: running',
      looks: [
        [0, [aLease('a')]],
        [2, [aLease('b')]],
        [100, [aLease('c')]],
      ],
      states: ['unclear', 'running', 'running'],
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
      name: 'one that was given back, or deleted: gone at once',
      looks: [
        [0, [aLease('a')]],
        [2, [aLease('b')]],
        [3, [aLease('c', { holder: undefined })]],
        [4, [aLease('d')]],
        [5, []],
      ],
      states: ['unclear', 'running', 'gone', 'running', 'gone'],
    },
    {
      name: 'one of several buckets is enough, and of other controllers none counts',
      looks: [
        [0, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('a', { name: 'source-controller.01-of-02' })]],
        [2, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('b', { name: 'source-controller.01-of-02' })]],
        [17, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('x', { name: 'binding-controller' })]],
        [18, [aLease('a', { name: 'source-controller.00-of-02' }), aLease('y', { name: 'binding-controller' })]],
      ],
      states: ['unclear', 'running', 'gone', 'gone'],
    },
  ])('$name', ({ looks, states }) => expect(statesOf(looks)).toEqual(states));

  it('nobody knows before the first look; of a kind nobody served there is nothing to know', () => {
    const upstream = new UpstreamLeases([definition]);
    expect(upstream.stateOf(definition)).toBe('unclear');
    expect(upstream.stateOf({} as SourceDefinition)).toBe('gone');
  });

  it('each turn is told, and nothing else', () => {
    const upstream = new UpstreamLeases([definition]);
    const turns: string[] = [];
    upstream.onTurn(() => turns.push(upstream.stateOf(definition)));
    for (const [second, renewal] of 'aaabbcc'.split('').entries()) upstream.look([aLease(renewal)], second * 1000);
    upstream.look([aLease('c')], 60_000);
    upstream.look([aLease('c')], 61_000);
    expect(turns).toEqual(['running', 'gone']);
  });
});
