import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile, type Plugin } from 'esbuild';
import { bundledPackages, licenseTexts } from './licenses.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Packages that are read only when they are asked for, and the files beside the bundle that they become. */
const BESIDE: Readonly<Record<string, string>> = {
  '@octokit/webhooks-examples': 'webhooks-examples.json',
  '@hpcc-js/wasm-graphviz': 'graphviz.js',
};

/** What bundles need in front, by form: as modules, `require` for Node's own modules; as scripts, a URL of their own. */
const forms = {
  esm: {
    banner:
      "import { createRequire as createRequireOf } from 'node:module'; const require = createRequireOf(import.meta.url);",
    define: {},
  },
  cjs: {
    banner: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;",
    define: { 'import.meta.url': 'bundleUrl' },
  },
} as const;
export type BundleForm = keyof typeof forms;

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

/** Each bundle is made of one file and what that imports. */
const bundles = {
  adapter: { entry: 'adapter/main.ts', plugin: lazyPartsOutside },
  controller: { entry: 'controller/main.ts', plugin: simulatorsOutside },
  headwater: { entry: 'cli/main.ts', plugin: largePartsBeside },
} as const;
export type BundleName = keyof typeof bundles;
export type Bundles = Readonly<Record<BundleName, Metafile>>;

/** `file`: where the bundle goes; returns what went into it. */
export async function buildBundle(name: BundleName, form: BundleForm, file: string): Promise<Metafile> {
  const { entry, plugin } = bundles[name];
  const { banner, define } = forms[form];
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: form,
    minifySyntax: true,
    minifyWhitespace: true,
    // Comments name but a few of the authors; the licences go into a file of their own.
    legalComments: 'none',
    banner: { js: banner },
    define,
    plugins: [plugin],
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/** For the command. */
export async function copyBeside(folder: string): Promise<void> {
  for (const [name, file] of Object.entries(BESIDE))
    await copyFile(fileURLToPath(import.meta.resolve(name)), join(folder, file));
}

export async function writeLicenses(folder: string, metafiles: readonly Metafile[]): Promise<void> {
  const beside = Object.keys(BESIDE).map((name) => `node_modules/${name}`);
  const packages = new Set([...metafiles.flatMap(bundledPackages), ...beside]);
  await writeFile(join(folder, 'LICENSES.txt'), await licenseTexts(root, [...packages].toSorted()));
}

/** One file per plane, into `folder`; returns what went into each. */
export async function buildBundles(folder: string): Promise<Bundles> {
  await mkdir(folder, { recursive: true });
  const adapter = await buildBundle('adapter', 'esm', join(folder, 'adapter.js'));
  const controller = await buildBundle('controller', 'esm', join(folder, 'controller.js'));
  const headwater = await buildBundle('headwater', 'esm', join(folder, 'headwater.js'));
  await chmod(join(folder, 'headwater.js'), 0o755);
  await copyBeside(folder);
  await writeLicenses(folder, [adapter, controller, headwater]);
  return { adapter, controller, headwater };
}

if (import.meta.main) {
  await rm(join(root, 'dist'), { recursive: true, force: true });
  const { adapter, controller, headwater } = await buildBundles(join(root, 'dist'));
  for (const { outputs } of [adapter, controller, headwater])
    for (const [file, output] of Object.entries(outputs))
      process.stdout.write(`${file}  ${Math.round(output.bytes / 1024)} KiB\n`);
}
