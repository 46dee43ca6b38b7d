import { describe, expect, it } from 'vitest';
import { HeadwaterProcess, headwater } from '../support/headwater.ts';

describe('headwater dump refuses with 2 and a hint', () => {
  const hint = '\nheadwater dump: see headwater dump --help\n';
  const wrong = [
    { args: ['--colour'], says: 'there is no option --colour\n' },
    { args: ['--port'], says: "Option '--port <value>' argument missing" },
    { args: ['--port', 'http'], says: '--port must be a port number, not "http"' },
    { args: ['--port', '65536'], says: '--port must be a port number, not "65536"' },
    { args: ['--port='], says: '--port must be a port number, not ""' },
    { args: ['--port', '0x50'], says: '--port must be a port number, not "0x50"' },
    { args: ['--output', 'xml'], says: '--output must be pretty or json' },
    { args: ['here'], says: "Unexpected argument 'here'" },
  ];
  for (const { args, says } of wrong) {
    it(args.join(' '), async () => {
      const { code, stdout, stderr } = await headwater('dump', ...args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr.startsWith(`headwater dump: ${says}`)).toBe(true);
      expect(stderr.endsWith(hint)).toBe(true);
    });
  }

  it('as a process', async () => {
    const { code, stdout, stderr } = await HeadwaterProcess.run(['dump', '--colour']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.endsWith(hint)).toBe(true);
  });
});
