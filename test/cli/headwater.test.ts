import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HeadwaterProcess, headwater } from '../support/headwater.ts';

const commands = {
  dev: [
    '-f, --file PATH',
    '--port PORT',
    '--broker-port PORT',
    '--dump-port PORT',
    '--public-url URL',
    '--simulate',
    '--simulator-port PORT',
    '--simulate-fault METHOD=STATUS',
    '--simulate-secret SECRET',
    '--run',
    '--once',
    '--timeout SECONDS',
    '--cleanup',
    '--full',
    '--output FORM',
  ],
  dump: ['--port PORT', '--host ADDRESS', '--full', '--output FORM'],
  send: [
    '-f, --file PATH',
    '--source [NAMESPACE/]NAME',
    '--adapter URL',
    '--url URL',
    '--secret-file FILE',
    '--event EVENT',
    '--id ID',
    '--form FORM',
    '--kind KIND',
    '--list',
  ],
  graph: ['-f, --file PATH', '--workflow NAME', '--format FORMAT', '-o, --output FILE'],
  adapter: ['ROUTES_DIR', 'HOST', 'PORT, INTERNAL_PORT', 'ALLOW_LOOPBACK_SINKS', 'LOG_LEVEL'],
};
const wireCommands = {
  'wire check': ['-f, --file PATH', '--output FORM', '--strict', '--cluster', '--kubeconfig FILE', '--context NAME'],
  'wire plan': ['-f, --file PATH'],
  'wire diff': ['-f, --file PATH', '--kubeconfig FILE', '--context NAME', '--force-conflicts'],
  'wire apply': ['-f, --file PATH', '--kubeconfig FILE', '--context NAME', '--force-conflicts'],
  'wire prune': ['-f, --file PATH', '--kubeconfig FILE', '--context NAME', '--dry-run'],
  'wire explain': ['-f, --file PATH', '--cluster', '--output FORM', '--kubeconfig FILE', '--context NAME'],
};
const namesOfCommands = ['dev', 'dump', 'send', 'wire', 'graph', 'adapter'];
const everyCommand = namesOfCommands.map((name) => expect.stringMatching(new RegExp(`^  ${name} +\\S`)));
const commandLines = (text: string) => text.split('\n').filter((line) => line.startsWith('  '));

describe('headwater', () => {
  for (const option of ['--help', '-h', 'help']) {
    it(`${option} names every command`, async () => {
      const { code, stdout, stderr } = await HeadwaterProcess.run([option]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(commandLines(stdout)).toEqual(everyCommand);
    });
  }

  for (const option of ['--version', '-v']) {
    it(`${option} prints the version of the package`, async () => {
      const manifest = await readFile(join(import.meta.dirname, '../../package.json'), 'utf8');
      const { version } = JSON.parse(manifest) as { version: string };
      expect(await HeadwaterProcess.run([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
    });
  }

  for (const [name, options] of Object.entries({ ...commands, ...wireCommands })) {
    it(`${name} --help names every option`, async () => {
      const words = name.split(' ');
      const { code, stdout, stderr } = await HeadwaterProcess.run([...words, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`\nUsage: headwater ${name}`);
      expect(commandLines(stdout).map((line) => line.trim().split('  ')[0])).toEqual(options);
      expect(await headwater(...words, '-h')).toEqual({ code, stdout, stderr });
    });
  }

  it('wire --help names its commands, and so does an error', async () => {
    const { code, stdout } = await headwater('wire', '--help');
    expect({ code, lines: commandLines(stdout).map((line) => line.trim().split('  ')[0]) }).toEqual({
      code: 0,
      lines: Object.keys(wireCommands),
    });
    const stderr = `headwater: there is no command "wire paln"\n\n${stdout}`;
    expect(await headwater('wire', 'paln')).toEqual({ code: 2, stdout: '', stderr });
    expect(await headwater('wire')).toEqual({ code: 2, stdout: '', stderr: stdout });
  });

  const wrong = [
    { args: ['dmup'], first: /^headwater: there is no command "dmup"\n\n/ },
    { args: ['constructor'], first: /^headwater: there is no command "constructor"\n\n/ },
    { args: ['--colour'], first: /^headwater: there is no command "--colour"\n\n/ },
    { args: [], first: /^Headwater: / },
  ];
  for (const { args, first } of wrong) {
    it(`ends with 2 and the help for ${args.join(' ') || 'no command'}`, async () => {
      const { code, stdout, stderr } = await HeadwaterProcess.run(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(first);
      expect(commandLines(stderr)).toEqual(everyCommand);
    });
  }
});

describe('an option that is not there', () => {
  const cases = [
    { option: '--frob', says: 'there is no option --frob' },
    { option: '--simulat', says: 'there is no option --simulat; did you mean --simulate?' },
    { option: '--timeuot=3', says: 'there is no option --timeuot; did you mean --timeout?' },
    { option: '-x', says: 'there is no option -x' },
  ];
  for (const { option, says } of cases) {
    it(`is named: ${option}`, async () => {
      const stderr = `headwater dev: ${says}\nheadwater dev: see headwater dev --help\n`;
      expect(await headwater('dev', '-f', '.', option)).toEqual({ code: 2, stdout: '', stderr });
    });
  }
});

describe('bin/headwater.js', () => {
  const asNode = (version: string) => [
    '--import',
    `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'${version}'})`,
  ];

  for (const version of ['20.1.0', '23.11.1', '8.0.0']) {
    it(`refuses Node ${version} in one sentence`, async () => {
      const ended = await HeadwaterProcess.run(['--version'], { nodeOptions: asNode(version) });
      const stderr = `headwater needs Node.js 24 or newer, and this is ${version}. In a checkout, "npm ci" brings it and "npm run headwater" uses it.\n`;
      expect(ended).toEqual({ code: 1, stdout: '', stderr });
    });
  }

  for (const version of ['24.0.0', '100.0.0']) {
    it(`runs on Node ${version}`, async () => {
      const ended = await HeadwaterProcess.run(['--version'], { nodeOptions: asNode(version) });
      expect(ended).toMatchObject({ code: 0, stderr: '' });
    });
  }
});

describe('the script of a checkout', () => {
  const checkout = join(import.meta.dirname, '../..');
  const folder = join(import.meta.dirname, '../wire/sets/shop');
  const cases = [
    { name: 'reads paths where it was called', script: 'headwater', cwd: checkout, code: 0 },
    { name: 'leaves those of other scripts in the checkout', script: 'demo', cwd: checkout, code: 1 },
    { name: 'leaves those of another package', script: 'headwater', cwd: join(checkout, 'docs'), code: 1 },
  ];
  for (const { name, script, cwd, code } of cases) {
    it(name, async () => {
      const env = { npm_lifecycle_event: script, INIT_CWD: folder };
      expect(await HeadwaterProcess.run(['wire', 'plan', '-f', 'wire.yaml'], { cwd, env })).toMatchObject({ code });
    });
  }
});
