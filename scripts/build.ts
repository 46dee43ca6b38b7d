import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { bundledPackages, licenseTexts } from './licenses.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const EXAMPLES = '@octokit/webhooks-examples';
/** Packages that are read only when they are asked for, and the files beside the bundle that they become. */
const BESIDE: Readonly<Record<string, string>> = {
  [EXAMPLES]: 'webhooks-examples.json',
  '@hpcc-js/wasm-graphviz': 'graphviz.js',
};

/** ESM bundles of CommonJS packages need a `require` for Node's own modules. */
const banner =
  "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url);";

/** What the adapter never needs of a provider (schema, API client, simulator) is behind `import()`, and stays outside. */
const lazyPartsOutside: Plugin = {
  name: 'lazy-parts-outside',
  setup(builder) {
    builder.onResolve({ filter: /./ }, (args) =>
      args.kind === 'dynamic-import' && relative(root, args.importer).startsWith('sources/')
        ? { path: args.path, external: true }
        : undefined,
    );
  },
};

/** The double of a provider has no place where real ones are called. */
const simulatorsOutside: Plugin = {
  name: 'simulators-outside',
  setup(builder) {
    builder.onResolve({ filter: /\/simulator\.ts$/ }, ({ path }) => ({ path, external: true }));
  },
};

/** 4 MB of recorded deliveries, 0.8 MB of Graphviz. */
const largePartsBeside: Plugin = {
  name: 'large-parts-beside',
  setup(builder) {
    builder.onResolve({ filter: new RegExp(`^(${Object.keys(BESIDE).join('|')})$`) }, ({ path }) => ({
      path: `./${BESIDE[path]}`,
      external: true,
    }));
  },
};

export interface Bundles {
  readonly adapter: Metafile;
  readonly controller: Metafile;
  readonly headwater: Metafile;
}

/** One file per plane, into `folder`; returns what went into each. */
export async function buildBundles(folder: string): Promise<Bundles> {
  const bundle = async (entry: string, name: string, plugin: Plugin): Promise<Metafile> => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: join(folder, name),
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      minifySyntax: true,
      minifyWhitespace: true,
      // Comments name but a few of the authors; the licences go into a file of their own.
      legalComments: 'none',
      banner: { js: banner },
      plugins: [plugin],
      metafile: true,
      logLevel: 'warning',
    });
    return metafile;
  };
  await mkdir(folder, { recursive: true });
  const adapter = await bundle('adapter/main.ts', 'adapter.js', lazyPartsOutside);
  const controller = await bundle('controller/main.ts', 'controller.js', simulatorsOutside);
  const headwater = await bundle('cli/main.ts', 'headwater.js', largePartsBeside);
  for (const [name, file] of Object.entries(BESIDE))
    await copyFile(fileURLToPath(import.meta.resolve(name)), join(folder, file));
  await chmod(join(folder, 'headwater.js'), 0o755);
  const beside = Object.keys(BESIDE).map((name) => `node_modules/${name}`);
  const packages = new Set([...[adapter, controller, headwater].flatMap(bundledPackages), ...beside]);
  await writeFile(join(folder, 'LICENSES.txt'), await licenseTexts(root, [...packages].toSorted()));
  return { adapter, controller, headwater };
}

if (import.meta.main) {
  await rm(join(root, 'dist'), { recursive: true, force: true });
  const { adapter, controller, headwater } = await buildBundles(join(root, 'dist'));
  for (const { outputs } of [adapter, controller, headwater])
    for (const [file, output] of Object.entries(outputs))
      process.stdout.write(`${file}  ${Math.round(output.bytes / 1024)} KiB\n`);
}
