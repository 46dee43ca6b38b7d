import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Takes what GitHub's published OpenAPI description says of webhooks into `test/golden/github-hooks-api.json`, with
 * which the simulator and the client are checked. The package is 385 MB, so it is fetched only when this script is run.
 */
const PACKAGE = '@octokit/openapi@23.0.2';
const OF_WEBHOOKS = /^\/(repos\/\{owner\}\/\{repo\}|orgs\/\{org\})\/hooks(\/|$)/;
const METHODS = ['get', 'post', 'patch', 'delete'];
/** What explains but does not constrain. */
const PROSE: ReadonlySet<string> = new Set(['description', 'example', 'examples', 'title', 'default']);

type Json = Readonly<Record<string, unknown>>;
interface Operation {
  readonly requestBody?: { readonly content: Json };
  readonly responses: Readonly<Record<string, { readonly content?: Json }>>;
}

const run = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = await mkdtemp(join(tmpdir(), 'headwater-openapi-'));
try {
  const { stdout } = await run('npm', ['pack', PACKAGE, '--silent'], { cwd: folder });
  const file = 'package/generated/api.github.com.deref.json';
  await run('tar', ['xzf', stdout.trim(), file], { cwd: folder });
  const { paths } = JSON.parse(await readFile(join(folder, file), 'utf8')) as {
    paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  };
  const operations = Object.entries(paths)
    .filter(([path]) => OF_WEBHOOKS.test(path))
    .flatMap(([path, item]) =>
      METHODS.flatMap((method) => (item[method] ? [describe(path, method, item[method])] : [])),
    );
  const text = JSON.stringify({ source: PACKAGE, operations }, null, 1);
  await writeFile(join(root, 'test/golden/github-hooks-api.json'), `${text}\n`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

function describe(path: string, method: string, { requestBody, responses }: Operation) {
  const answers = Object.entries(responses).map(([status, { content }]) => [status, schemaOf(content)] as const);
  return {
    method: method.toUpperCase(),
    path,
    request: schemaOf(requestBody?.content),
    responses: Object.fromEntries(answers),
  };
}

function schemaOf(content: Json | undefined): unknown {
  const json = content?.['application/json'] as { schema?: unknown } | undefined;
  return json?.schema === undefined ? null : withoutProse(json.schema, false);
}

/** `named`: the keys of `node` are names of properties, not keywords. */
function withoutProse(node: unknown, named: boolean): unknown {
  if (Array.isArray(node)) return node.map((item: unknown) => withoutProse(item, false));
  if (typeof node !== 'object' || node === null) return node;
  const entries = Object.entries(node).filter(([key]) => named || !PROSE.has(key));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutProse(value, !named && key === 'properties')]));
}
