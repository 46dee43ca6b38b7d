import { emitterEventNames } from '@octokit/webhooks';
import { type Static, Type } from 'typebox';
import { didYouMean } from '../../core/closest.ts';
import type { SourcePlan, SpecDefinition } from '../contract.ts';
import { commonFields, correlationField, secretKeySelector } from '../fields.ts';
import { eventAttributesOf, upstreamEventTypes } from './attributes.ts';
import { correlation } from './correlation.ts';
import { TYPE_PREFIX } from './event.ts';

/** `spec` of a GitHubSource: every field of upstream's with the same meaning, and ours. */
const schema = Type.Object(
  {
    ownerAndRepository: Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'owner/repository, or the name of an organization for a hook on all of its repositories.',
    }),
    eventTypes: Type.Array(
      Type.String({
        minLength: 1,
        maxLength: 100,
        pattern: '^([a-z0-9_]+|[*])$',
        description: "An event's name as GitHub has it, such as pull_request; * stands for all.",
      }),
      {
        minItems: 1,
        maxItems: 1024,
        'x-kubernetes-list-type': 'atomic',
        description: 'The events GitHub is asked for. Names are those of its webhook documentation.',
      },
    ),
    accessToken: Type.Optional(
      secretKeySelector(
        'A token that may manage webhooks (classic: admin:repo_hook or admin:org_hook; fine-grained: Webhooks, read and write). Where absent, you make the webhook yourself with the URL in status.webhookURL.',
      ),
    ),
    secretToken: secretKeySelector('The secret GitHub signs deliveries with: any long random text.'),
    githubAPIURL: Type.Optional(
      Type.String({
        maxLength: 2048,
        description: 'Base URL of the API of a GitHub Enterprise Server; https://api.github.com where absent.',
      }),
    ),
    secure: Type.Optional(
      Type.Boolean({
        description: 'true: the webhook gets an https URL; false: http. As the public address has it where absent.',
      }),
    ),
    correlation: correlationField(correlation),
    ...commonFields,
  },
  { description: 'What is wanted: which events of which repository go where.' },
);

export type GitHubSourceSpec = Static<typeof schema>;

/** The events GitHub's own library or upstream knows; others are asked for as they are. */
export const eventNames: readonly string[] = [
  ...new Set([...emitterEventNames.filter((name) => !name.includes('.')), ...upstreamEventTypes]),
].toSorted();

export const GITHUB_API = 'https://api.github.com';

/** `/repos/<owner>/<repository>/hooks`, or `/orgs/<organization>/hooks` where there is no repository. */
export function hooksPath(ownerAndRepository: string): string {
  const [owner, repository] = ownerAndRepository.split('/');
  return repository ? `/repos/${owner}/${repository}/hooks` : `/orgs/${owner}/hooks`;
}

/** Base URL of the API without a slash at its end: with one, every path would begin with two. */
export function apiUrlOf({ githubAPIURL }: Pick<GitHubSourceSpec, 'githubAPIURL'>): string {
  return (githubAPIURL?.trim() || GITHUB_API).replace(/\/+$/, '');
}

/** The CloudEvents `source`: always github.com, as upstream has it, so that Triggers keep matching. */
export function eventSourceOf({ ownerAndRepository }: Pick<GitHubSourceSpec, 'ownerAndRepository'>): string {
  return `https://github.com/${ownerAndRepository}`;
}

/** Letters, digits, `-`, `_` and `.`; a name of dots alone would lead elsewhere in the API's paths. */
const NAME = /^(?!\.+$)[\w.-]+$/;

function problemsOf(spec: GitHubSourceSpec): string[] {
  const { ownerAndRepository } = spec;
  const problems: string[] = [];
  const [owner = '', repository = '', ...more] = ownerAndRepository.split('/');
  if (!NAME.test(owner) || (repository !== '' && !NAME.test(repository)) || more.length > 0) {
    problems.push(`ownerAndRepository must be owner/repository or an organization, not "${ownerAndRepository}"`);
  }
  const api = URL.parse(apiUrlOf(spec));
  if (!api || !/^https?:$/.test(api.protocol) || api.username || api.password || api.search || api.hash) {
    problems.push(
      'githubAPIURL must be an http or https URL without user name, password and query, such as https://github.example.com/api/v3/',
    );
  }
  return problems;
}

function warningsOf({ eventTypes }: GitHubSourceSpec): string[] {
  const unknown = eventTypes.filter((name) => name !== '*' && !eventNames.includes(name));
  return unknown.map((name) => {
    const question = didYouMean(name, eventNames);
    return `eventTypes: "${name}" is no event this version knows; GitHub is asked for it all the same${question}`;
  });
}

function planOf(spec: GitHubSourceSpec): SourcePlan {
  const { ownerAndRepository, eventTypes, accessToken, secretToken, secure } = spec;
  const names = eventTypes.includes('*') ? eventNames : [...new Set(eventTypes)];
  return {
    eventSource: eventSourceOf(spec),
    eventTypes: eventTypes.includes('*') ? ['*'] : names,
    ceTypes: names.map(ceTypeOf),
    secretToken: secretToken.secretKeyRef,
    accessToken: accessToken?.secretKeyRef,
    hook: { api: apiUrlOf(spec), repository: ownerAndRepository },
    secure,
    provider: spec.correlation ? { correlation: true } : {},
    problems: problemsOf(spec),
    warnings: warningsOf(spec),
  };
}

function ceTypeOf(eventName: string): string {
  return TYPE_PREFIX + eventName;
}

/** As it is written in the spec; GitHub passes over case, and tells its own. */
function constantsOf({ ownerAndRepository }: GitHubSourceSpec): Readonly<Record<string, string>> {
  const [owner = '', repository] = ownerAndRepository.split('/');
  return repository ? { owner, repository } : { owner };
}

function specFor(repository: string, secret: string | undefined): Partial<GitHubSourceSpec> {
  if (secret === undefined) return { ownerAndRepository: repository };
  const keyOf = (key: string) => ({ secretKeyRef: { name: secret, key } });
  return {
    ownerAndRepository: repository,
    accessToken: keyOf('accessToken'),
    secretToken: keyOf('secretToken'),
  };
}

export const specDefinition: SpecDefinition = {
  eventNames,
  ceTypeOf,
  attributesOf: eventAttributesOf,
  constantsOf: (spec) => constantsOf(spec as GitHubSourceSpec),
  specFor,
  correlation,
  schema,
  description: 'A GitHubSource registers a webhook at GitHub and sends its deliveries to a sink as CloudEvents.',
  eventTypes: eventNames.map(ceTypeOf),
  // The API server, or local mode, held it against the schema.
  planOf: (checked) => planOf(checked as GitHubSourceSpec),
};
