import { describe, expect, it } from 'vitest';
import { EnvReader } from '../../core/env.ts';
import { readProxies } from '../../core/proxies.ts';

function proxiesOf(env: Readonly<Record<string, string>>) {
  const read = new EnvReader(env);
  const proxies = readProxies(read);
  read.throwIfInvalid();
  return proxies;
}

const HTTP = 'http://plain.example:3128/';
const HTTPS = 'https://user:pass@secure.example/';

describe('the proxy of a call', () => {
  const both = { HTTP_PROXY: HTTP, HTTPS_PROXY: HTTPS };
  const cases = [
    { url: 'http://sink.example/x', env: both, proxy: HTTP },
    { url: 'https://api.github.com', env: both, proxy: HTTPS },
    { url: 'https://api.github.com', env: { HTTP_PROXY: HTTP }, proxy: undefined },
    { url: 'http://sink.example', env: { HTTPS_PROXY: HTTPS }, proxy: undefined },
    { url: 'http://sink.example', env: { http_proxy: HTTP }, proxy: HTTP },
    { url: 'http://sink.example', env: { http_proxy: 'http://other/', HTTP_PROXY: HTTP }, proxy: HTTP },
    { url: 'http://sink.example', env: { HTTP_PROXY: 'plain.example:3128' }, proxy: HTTP },
    { url: 'http://sink.example', env: { HTTP_PROXY: HTTP, NO_PROXY: '' }, proxy: HTTP },
  ];
  it.each(cases)('$url with $env', ({ url, env, proxy }) =>
    expect(proxiesOf(env as Record<string, string>).proxyFor(url)?.href).toBe(proxy),
  );

  const direct = [
    'http://localhost:8080',
    'http://sink.localhost',
    'http://127.0.0.53',
    'http://[::1]:8080',
    'http://sink.demo.svc',
    'https://sink.demo.svc:8443/x',
    'http://broker-ingress.knative-eventing.svc.cluster.local/demo/default',
    'http://sink.demo.svc.cluster.local.',
  ];
  it.each(direct)('%s: none, whatever is set', (url) => expect(proxiesOf(both).proxyFor(url)).toBeUndefined());

  it.each(['http://svc', 'http://sink.svc.example.com', 'http://10.0.0.1', 'http://event-dumper'])('%s: one', (url) =>
    expect(proxiesOf(both).proxyFor(url)?.href).toBe(HTTP),
  );

  it('is said without its password', () =>
    expect(proxiesOf(both).origins).toEqual({ http: 'http://plain.example:3128', https: 'https://secure.example' }));
});

describe('NO_PROXY', () => {
  const cases: { entry: string; excepts: string[]; not: string[] }[] = [
    { entry: '*', excepts: ['example.com', '10.0.0.1', '[fd00::1]'], not: [] },
    {
      entry: 'example.com',
      excepts: ['example.com', 'EXAMPLE.com.', 'a.b.example.com'],
      not: ['myexample.com', 'example.org'],
    },
    { entry: 'Example.COM.', excepts: ['example.com'], not: ['example.org'] },
    { entry: '.example.com', excepts: ['a.example.com'], not: ['example.com', 'aexample.com'] },
    { entry: '*.example.com', excepts: ['a.example.com', 'a.b.example.com'], not: ['example.com'] },
    { entry: 'example.com:8080', excepts: ['example.com:8080'], not: ['example.com', 'example.com:80'] },
    { entry: 'example.com:80', excepts: ['example.com', 'example.com:80'], not: ['example.com:81'] },
    {
      entry: '10.1.2.3',
      excepts: ['10.1.2.3', '10.1.2.3:99', '[::ffff:10.1.2.3]'],
      not: ['10.1.2.4', '10.1.2.3.example'],
    },
    { entry: '10.1.2.3:99', excepts: ['10.1.2.3:99'], not: ['10.1.2.3'] },
    { entry: '10.0.0.0/8', excepts: ['10.0.0.1', '10.255.255.255'], not: ['11.0.0.0', 'ten.example', '[fd00::1]'] },
    { entry: 'fd00::/8', excepts: ['[fd12::1]'], not: ['[fe00::1]', '10.0.0.1'] },
    { entry: 'fd00::1', excepts: ['[fd00::1]', '[fd00:0::1]:99'], not: ['[fd00::2]'] },
    { entry: '[fd00::1]', excepts: ['[fd00::1]:99'], not: ['[fd00::2]'] },
    { entry: '[fd00::1]:99', excepts: ['[fd00::1]:99'], not: ['[fd00::1]'] },
    { entry: 'bücher.example', excepts: ['bücher.example', 'xn--bcher-kva.example'], not: ['bucher.example'] },
    {
      entry: ' .one.example, two.example\tthree.example,,',
      excepts: ['a.one.example', 'two.example', 'three.example'],
      not: ['four.example'],
    },
  ];
  const isExcepted = (entry: string, host: string) =>
    proxiesOf({ HTTP_PROXY: HTTP, NO_PROXY: entry }).proxyFor(`http://${host}/`) === undefined;
  for (const { entry, excepts, not } of cases) {
    it.each(excepts)(`${entry} excepts %s`, (host) => expect(isExcepted(entry, host)).toBe(true));
    it.each(not)(`${entry} does not except %s`, (host) => expect(isExcepted(entry, host)).toBe(false));
  }

  it('counts in lower case, too', () =>
    expect(proxiesOf({ HTTP_PROXY: HTTP, no_proxy: 'a.example' }).proxyFor('http://a.example')).toBeUndefined());
});

describe('variables that are no proxies', () => {
  const proxy = (name: string) => `${name} must be the URL of an http or https proxy, such as`;
  const none = (text: string) => `separated by commas, and "${text}" is none`;
  const cases = [
    { env: { HTTP_PROXY: 'socks5://x:1080' }, says: [proxy('HTTP_PROXY')] },
    { env: { HTTPS_PROXY: 'http://x:3128/path' }, says: [proxy('HTTPS_PROXY')] },
    { env: { HTTPS_PROXY: 'http://u:%zz@x' }, says: [proxy('HTTPS_PROXY')] },
    { env: { http_proxy: 'http://', NO_PROXY: '10.0.0.0/33' }, says: [proxy('HTTP_PROXY'), none('10.0.0.0/33')] },
    ...[
      '10.*',
      'http://a.example',
      'a..example/8',
      'fd00::/129',
      'a:b',
      '..a',
      '[x]:1',
      'a:99999999x',
      '10.0.0.0/',
    ].map((text) => ({ env: { NO_PROXY: `a.example,${text}` }, says: [none(text)] })),
  ];
  it.each(cases)('$env', ({ env, says }) => {
    for (const sentence of says) expect(() => proxiesOf(env as Record<string, string>)).toThrow(sentence);
  });

  it('are refused without a word of the password', () => {
    const wrong = () => proxiesOf({ HTTPS_PROXY: 'http://user:s3cret@proxy.example:3128/path' });
    expect(wrong).toThrow('HTTPS_PROXY');
    expect(wrong).not.toThrow(/s3cret|user/);
  });
});
