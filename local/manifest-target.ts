import { resolve } from 'node:path';
import { keyOf, type SourceObject } from '../controller/objects.ts';
import { readSecrets } from '../controller/secrets.ts';
import { isBlocked } from '../controller/step.ts';
import { ConfigurationError } from '../core/errors.ts';
import type { Problem } from '../core/problem.ts';
import { definitionOf } from '../sources/registry.ts';
import { localKinds, SECRET } from './kinds.ts';
import { localReader } from './local-reader.ts';
import { ManifestFiles } from './manifest-files.ts';
import type { LocalManifest } from './manifests.ts';
import { StateFolder } from './state-folder.ts';

/** Where the deliveries of a source go, and what they are signed with. */
export interface ManifestTarget {
  readonly kind: string;
  /** `/hooks/<uid>` */
  readonly path: string;
  readonly secret: string;
}

/**
 * The one source in these manifests, or the one named `NAMESPACE/NAME`, or `NAME` where there is one of that name.
 * @throws ConfigurationError with what to change
 */
export async function manifestTarget(
  paths: readonly string[],
  name: string | undefined,
  stateFolder: string,
): Promise<ManifestTarget> {
  const manifests = await manifestsIn(paths);
  const named = manifests
    .filter(({ kind }) => definitionOf(kind))
    .map((manifest) => ({ manifest, name: `${manifest.metadata.namespace}/${manifest.metadata.name}` }));
  const isMeant = (source: { manifest: LocalManifest; name: string }) =>
    name === undefined || name === (name.includes('/') ? source.name : source.manifest.metadata.name);
  const [found, ...more] = named.filter(isMeant);
  if (!found)
    throw fault(
      name === undefined
        ? 'there is no source in the manifests'
        : `there is no source ${name}; there are: ${named.map((source) => source.name).join(', ') || 'none'}`,
    );
  if (more.length > 0)
    throw fault(`name one with --source: ${[found, ...more].map((source) => source.name).join(', ')}`);
  const { kind, metadata } = found.manifest;
  const secret = await secretOf(found.manifest, manifests);
  const uid = metadata.uid ?? StateFolder.existing(stateFolder).uidOf({ kind, ...metadata });
  return { kind, path: `/hooks/${uid}`, secret };
}

async function manifestsIn(paths: readonly string[]): Promise<readonly LocalManifest[]> {
  const kinds = await localKinds();
  const all = paths.map((path) => resolve(path));
  let manifests: readonly LocalManifest[] = [];
  let problems: readonly Problem[] = [];
  const files = new ManifestFiles({
    paths: all,
    read: localReader({ paths: all, kinds, brokerUrl: 'http://127.0.0.1' }),
    onChange: (content) => ({ manifests, problems } = content),
  });
  await files.readOnce();
  if (problems.length === 0) return manifests;
  throw new ConfigurationError(
    'manifests',
    problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
  );
}

/** As the controller reads it, so that what it would refuse is refused here. */
async function secretOf(source: LocalManifest, manifests: readonly LocalManifest[]): Promise<string> {
  const spec = await definitionOf(source.kind)?.loadSpec();
  const secretToken = spec?.planOf(source.spec ?? {}).secretToken;
  const read = await readSecrets(
    source as unknown as SourceObject,
    { secretToken, accessToken: undefined },
    {
      readSecretKey: async (namespace, { name, key }) => {
        const wanted = keyOf({ ...SECRET, namespace, name });
        const secret = manifests.find((one) => keyOf({ ...one, ...one.metadata }) === wanted);
        const value = secret?.data?.get(key);
        if (value) return { found: 'value', value: value.toString('utf8'), version: '' };
        return { found: secret ? 'no-key' : 'no-secret' };
      },
    },
  );
  if (isBlocked(read)) throw fault(read.blocked.message);
  return read.done.secretToken.value;
}

function fault(sentence: string): ConfigurationError {
  return new ConfigurationError('manifests', [sentence]);
}
