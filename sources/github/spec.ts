import { emitterEventNames } from '@octokit/webhooks';
import { type Static, Type } from 'typebox';
import type { SpecDefinition } from '../contract.ts';
import { commonFields, secretKeySelector } from '../fields.ts';
import { upstreamEventTypes } from './attributes.ts';
import { TYPE_PREFIX } from './event.ts';

/** `spec` of a GitHubSource: every field of upstream's with the same meaning, and ours. */
export const spec = Type.Object(
  {
    ownerAndRepository: Type.String({
      minLength: 1,
      maxLength: 1024,
      description: 'owner/repository, or the name of an organization or owner for a hook on all of its repositories.',
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
    ...commonFields,
  },
  { description: 'What is wanted: which events of which repository go where.' },
);

export type GitHubSourceSpec = Static<typeof spec>;

/** The names GitHub's own library knows; others are asked for as they are. */
export const knownEventTypes: readonly string[] = emitterEventNames.filter((name) => !name.includes('.'));

export const specDefinition: SpecDefinition = {
  schema: spec,
  description: 'A GitHubSource registers a webhook at GitHub and sends its deliveries to a sink as CloudEvents.',
  eventTypes: [...new Set([...knownEventTypes, ...upstreamEventTypes])].toSorted().map((name) => TYPE_PREFIX + name),
};

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
