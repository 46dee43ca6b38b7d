import { readDocuments } from '../core/yaml-text.ts';
import { definitionIn } from '../wire/definition.ts';
import type { WireSet } from '../wire/model.ts';
import { planOf } from '../wire/plan.ts';
import { planText } from '../wire/plan-text.ts';
import { BROKER, KNATIVE_SERVICE } from '../wire/planned-object.ts';
import { isWiringFile } from '../wire/read-config.ts';
import { filesIn } from '../wire/read-files.ts';
import { readWiring } from '../wire/read-wiring.ts';
import type { LocalKind } from './kinds.ts';
import type { FileContent } from './manifest-files.ts';
import { type LocalManifest, type ManifestText, readManifests } from './manifests.ts';

export interface LocalReaderOptions {
  /** All files and folders that are followed. */
  readonly paths: readonly string[];
  readonly kinds: readonly LocalKind[];
  /** Base URL of the Brokers. */
  readonly brokerUrl: string;
}

/** Reads what is followed: manifests; a wiring file, which stands for what it plans; a definition, which a wiring file names. */
export function localReader(options: LocalReaderOptions): (text: string, file: string) => Promise<FileContent> {
  return async (text, file) => {
    if (isWiringFile(file)) return plannedBy(file, options);
    if (!isDefinition(text, file)) return readManifests(text, file, options.kinds);
    const isAlone = !(await filesIn(options.paths)).some(isWiringFile);
    return { ...NOTHING, warnings: isAlone ? [{ file, line: 1, message: ALONE }] : [] };
  };
}

const NOTHING: ManifestText = { manifests: [], problems: [], skipped: [] };
const ALONE =
  'a workflow definition does nothing by itself, and no wiring file is here: write a wire.yaml beside it that names it, and give both';

/** Not one inside an object of Kubernetes, which is read like any other. */
function isDefinition(text: string, file: string): boolean {
  const documents = readDocuments(text, { likeKubectl: false });
  return documents.some((one) => 'content' in one && definitionIn(file, one)?.isObject === false);
}

/** What the set of one wiring file makes; its sources and workflows may have to do with those of other sets. */
async function plannedBy(file: string, { paths, kinds, brokerUrl }: LocalReaderOptions): Promise<FileContent> {
  const files = (await filesIn(paths)).filter(isWiringFile);
  const { wiring, problems, warnings, files: dependsOn } = await readWiring(files);
  const ofOthers = (place: { readonly file: string }) => place.file !== file && files.includes(place.file);
  const sets = wiring.sets.filter(({ name }) => name !== undefined).map((set) => withLocalBroker(set, brokerUrl));
  // Each makes the Broker, which is none of what the files say: only without it they may contradict each other.
  const { problems: unplanned } = planOf({ sets });
  const plan = planOf({ sets: sets.map(makingBroker) });
  const own = plan.sets.filter(({ set }) => set.place.file === file);
  const { manifests, ...read } = readManifests(planText(own), file, kinds);
  const all = problems.length > 0 ? problems : unplanned;
  return {
    skipped: read.skipped,
    problems: [...all.filter((one) => !ofOthers(one)), ...read.problems.map((one) => ({ ...one, line: 1 }))],
    warnings: warnings.filter((one) => !ofOthers(one)),
    dependsOn,
    manifests: manifests.map((manifest) => ({ ...manifest, line: 1, ...precedenceOf(manifest, own[0]?.set) })),
  };
}

function withLocalBroker(set: WireSet, brokerUrl: string): WireSet {
  const { namespace, name } = set.broker;
  return { ...set, broker: { ...set.broker, url: `${brokerUrl}/${namespace}/${name}` } };
}

/** A laptop has no Broker but what files ask for. */
function makingBroker(set: WireSet): WireSet {
  return { ...set, broker: { ...set.broker, create: true } };
}

/** A Knative Service is that of its manifest, and more; a Broker that the set was to find there may be in a manifest. */
function precedenceOf(
  { kind, apiVersion }: LocalManifest,
  set: WireSet | undefined,
): Pick<LocalManifest, 'precedence'> {
  const is = (one: { readonly apiVersion: string; readonly kind: string }) =>
    one.kind === kind && one.apiVersion === apiVersion;
  if (is(KNATIVE_SERVICE)) return { precedence: 1 };
  return is(BROKER) && set?.config.broker?.create !== true ? { precedence: -1 } : {};
}
