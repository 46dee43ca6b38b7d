import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeadwaterProcess } from '../support/headwater.ts';
import { aSink, stopParts } from '../support/parts.ts';

let cwd: string;
beforeEach(async () => void (cwd = await mkdtemp(join(tmpdir(), 'headwater-ports-'))));
afterEach(async () => {
  await stopParts();
  await rm(cwd, { recursive: true, force: true });
});

describe('a port that is taken is named by the option of the command', () => {
  const rows: { args: string[]; option: string; env?: Record<string, string> }[] = [
    ...['--port', '--broker-port', '--dump-port', '--simulator-port'].map((option) => ({
      args: ['dev', '--simulate', '-f', '.', option],
      option,
    })),
    { args: ['dump', '--port'], option: '--port' },
  ];
  for (const { args, option } of rows)
    it(`${args[0]} ${option}`, async () => {
      const sink = await aSink();
      const { code, stderr } = await HeadwaterProcess.run([...args, String(sink.port)], { cwd });
      const says = `port ${sink.port} is in use: set ${option} to another\n`;
      expect({ code, stderr }).toEqual({ code: 1, stderr: `headwater ${args[0]}: ${says}` });
    });

  it('adapter PORT', async () => {
    const sink = await aSink();
    const env = { PORT: String(sink.port), INTERNAL_PORT: '0', ROUTES_DIR: cwd };
    const { code, stdout } = await HeadwaterProcess.run(['adapter'], { cwd, env });
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('set PORT to another"') });
  });
});
