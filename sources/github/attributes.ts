import type { EventAttribute, JsonObject } from '../contract.ts';
import { at, isObject, member, type Reader, read, type Scalar } from './payload.ts';

export interface Attributes {
  readonly subject: Scalar | undefined;
  readonly extensions: readonly (readonly [name: string, value: Scalar])[];
}

interface Mapping {
  readonly subject: Reader;
  readonly extensions: readonly (readonly [name: string, value: Reader])[];
}

/** Subject and extensions as Knative's eventing-github sets them for the events it knows, by a general rule for others. */
export function attributesOf(eventType: string, payload: JsonObject): Attributes {
  const { subject, extensions } = mappingOf(eventType);
  const set: [string, Scalar][] = [];
  for (const [name, readValue] of extensions) {
    const value = readValue(payload);
    if (value !== undefined) set.push([name, value]);
  }
  return { subject: subject(payload), extensions: set };
}

/** What `attributesOf` can set on events of this type. An empty subject is left out; an empty extension is sent. */
export function eventAttributesOf(eventType: string): readonly EventAttribute[] {
  const { subject, extensions } = mappingOf(eventType);
  return [['subject', subject] as const, ...extensions].map(([name, value]) => ({
    name,
    member: value.member,
    always: value.fallback !== undefined && (name !== 'subject' || value.fallback !== ''),
  }));
}

function mappingOf(eventType: string): Mapping {
  return upstreamMappings.get(eventType) ?? generalMapping(eventType);
}

// Upstream fills structs: what a payload lacks, or has as null, is sent as the type's zero value.
const text = (path: string) => read(path, '');
const number = (path: string) => read(path, 0);
const boolean = (path: string) => read(path, false);

/** What follows the last `/` of a URL; '' without one. */
function lastPathPart(path: string): Reader {
  const readUrl = text(path);
  return (payload) => {
    const url = String(readUrl(payload));
    return url.slice(url.lastIndexOf('/') + 1 || url.length);
  };
}

/** Only where the payload has the object that holds it. */
function ifPresent(holder: string, value: Reader): Reader {
  const present = (payload: JsonObject) => (isObject(member(payload, holder)) ? value(payload) : undefined);
  return value.member ? Object.assign(present, { member: value.member }) : present;
}

function pageNames(payload: JsonObject): string {
  const pages = member(payload, 'pages');
  return Array.isArray(pages) ? pages.map((page) => at({ page }, ['page', 'page_name']) ?? '').join(',') : '';
}

const owner = ['owner', text('repository.owner.login')] as const;
const organizationOwner = ['owner', text('organization.login')] as const;
const repository = ['repository', text('repository.name')] as const;
const sender = ['sender', text('sender.login')] as const;
const action = ['action', text('action')] as const;
const installation = ['installation', number('installation.id')] as const;
const assignee = ['assignee', ifPresent('assignee', text('assignee.login'))] as const;
const base = [owner, repository, sender];
const baseAndAction = [...base, action];

const createOrDelete: Mapping = { subject: text('ref_type'), extensions: [...base, ['ref', text('ref')]] };
const deployment: Mapping = { subject: number('deployment.id'), extensions: base };
const appInstallation: Mapping = { subject: number('installation.id'), extensions: [sender, action, installation] };
const organization: Mapping = { subject: text('action'), extensions: [organizationOwner, sender, action] };
const project: Mapping = { subject: text('action'), extensions: baseAndAction };

const upstreamMappings: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  ['check_run', { subject: number('check_run.id'), extensions: baseAndAction }],
  ['check_suite', { subject: number('check_suite.id'), extensions: baseAndAction }],
  ['commit_comment', { subject: lastPathPart('comment.html_url'), extensions: baseAndAction }],
  ['create', createOrDelete],
  ['delete', createOrDelete],
  ['deployment', deployment],
  ['deployment_status', deployment],
  ['fork', { subject: number('forkee.id'), extensions: base }],
  ['gollum', { subject: pageNames, extensions: base }],
  ['installation', appInstallation],
  ['integration_installation', appInstallation],
  ['installation_repositories', appInstallation],
  ['integration_installation_repositories', appInstallation],
  ['issue_comment', { subject: lastPathPart('comment.html_url'), extensions: baseAndAction }],
  [
    'issues',
    {
      subject: number('issue.number'),
      extensions: [...baseAndAction, ['label', ifPresent('label', text('label.name'))], assignee],
    },
  ],
  ['label', { subject: text('label.name'), extensions: [...baseAndAction, ['label', text('label.name')]] }],
  ['member', { subject: number('member.id'), extensions: baseAndAction }],
  [
    'membership',
    { subject: number('member.id'), extensions: [organizationOwner, ['scope', text('scope')], sender, action] },
  ],
  ['milestone', { subject: number('milestone.number'), extensions: baseAndAction }],
  ['organization', organization],
  ['org_block', organization],
  ['page_build', { subject: number('id'), extensions: base }],
  ['ping', { subject: number('hook_id'), extensions: base }],
  ['project', project],
  ['project_card', project],
  ['project_column', project],
  ['public', { subject: number('repository.id'), extensions: base }],
  [
    'pull_request',
    {
      subject: number('pull_request.number'),
      extensions: [
        ...baseAndAction,
        installation,
        ['number', number('number')],
        ['label', text('label.name')],
        assignee,
      ],
    },
  ],
  [
    'pull_request_review',
    {
      subject: number('review.id'),
      extensions: [...baseAndAction, installation, ['review', text('review.state')]],
    },
  ],
  ['pull_request_review_comment', { subject: number('comment.id'), extensions: [...baseAndAction, installation] }],
  [
    'push',
    {
      subject: lastPathPart('compare'),
      extensions: [
        ...base,
        installation,
        ['pusher', text('pusher.name')],
        ['ref', text('ref')],
        ['created', boolean('created')],
        ['deleted', boolean('deleted')],
        ['forced', boolean('forced')],
      ],
    },
  ],
  [
    'release',
    // Upstream refuses a release without a name; here the extension is left out.
    {
      subject: text('release.tag_name'),
      extensions: [...baseAndAction, installation, ['release', read('release.name')]],
    },
  ],
  ['repository', { subject: number('repository.id'), extensions: baseAndAction }],
  ['repository_vulnerability_alert', { subject: number('alert.id'), extensions: [action] }],
  ['security_advisory', { subject: text('security_advisory.ghsa_id'), extensions: [action] }],
  [
    'status',
    {
      subject: text('sha'),
      extensions: [...base, ['state', text('state')], ['name', text('name')], ['context', text('context')]],
    },
  ],
  ['team', { subject: number('team.id'), extensions: [sender, action] }],
  ['team_add', { subject: number('repository.id'), extensions: base }],
  ['watch', { subject: number('repository.id'), extensions: baseAndAction }],
]);

/** The events Knative's own source knows. */
export const upstreamEventTypes: readonly string[] = [...upstreamMappings.keys()];

const generalExtensions: Mapping['extensions'] = [
  ['owner', read('repository.owner.login')],
  ['repository', read('repository.name')],
  ['sender', read('sender.login')],
  ['action', read('action')],
];

/** Objects that accompany an event without being what it is about. */
const ACCOMPANYING: ReadonlySet<string> = new Set([
  'repository',
  'organization',
  'sender',
  'installation',
  'enterprise',
  'changes',
  'requestor',
  'inputs',
  'client_payload',
]);

function generalMapping(eventType: string): Mapping {
  return { subject: (payload) => generalSubject(eventType, payload), extensions: generalExtensions };
}

/**
 * `number`, else `id`, of the member named like the event or like its last words (`dependabot_alert`: `alert`), else of
 * the first object the event can be about, else the repository's id.
 */
function generalSubject(eventType: string, payload: JsonObject): Scalar | undefined {
  const words = eventType.split('_');
  const names = words.map((_, index) => words.slice(index).join('_'));
  const about = Object.entries(payload).find(([name, value]) => isObject(value) && !ACCOMPANYING.has(name));
  for (const name of [...names, ...(about ? [about[0]] : [])]) {
    const found = at(payload, [name, 'number']) ?? at(payload, [name, 'id']);
    if (found !== undefined) return found;
  }
  return at(payload, ['repository', 'id']);
}
