/**
 * The attributes of `eventFormat: knative`, written by hand after Knative's eventing-github (pkg/common/events.go) and,
 * for the events it does not know, after the rule in docs/sources. Never generate this from the code it checks.
 *
 * `path` alone must be there; `path|x` is x where the payload has no such value; `path?` is left out there;
 * `last(path)` is what follows the last `/`.
 */
type Row = readonly [subject: string, extensions: string];

const o = 'owner=repository.owner.login|';
const org = 'owner=organization.login|';
const r = 'repository=repository.name|';
const s = 'sender=sender.login|';
const a = 'action=action|';
const i = 'installation=installation.id|0';
const general = 'owner=repository.owner.login? repository=repository.name? sender=sender.login? action=action?';

export const attributeTable: Readonly<Record<string, Row>> = {
  check_run: ['check_run.id', `${o} ${r} ${s} ${a}`],
  check_suite: ['check_suite.id', `${o} ${r} ${s} ${a}`],
  commit_comment: ['last(comment.html_url)', `${o} ${r} ${s} ${a}`],
  create: ['ref_type', `${o} ${r} ${s} ref=ref|`],
  delete: ['ref_type', `${o} ${r} ${s} ref=ref|`],
  deployment: ['deployment.id', `${o} ${r} ${s}`],
  deployment_status: ['deployment.id', `${o} ${r} ${s}`],
  fork: ['forkee.id', `${o} ${r} ${s}`],
  gollum: ['pages', `${o} ${r} ${s}`],
  installation: ['installation.id', `${s} ${a} ${i}`],
  installation_repositories: ['installation.id', `${s} ${a} ${i}`],
  issue_comment: ['last(comment.html_url)', `${o} ${r} ${s} ${a}`],
  issues: ['issue.number', `${o} ${r} ${s} ${a} label=label.name? assignee=assignee.login?`],
  label: ['label.name', `${o} ${r} ${s} ${a} label=label.name|`],
  member: ['member.id', `${o} ${r} ${s} ${a}`],
  membership: ['member.id', `${org} scope=scope| ${s} ${a}`],
  milestone: ['milestone.number', `${o} ${r} ${s} ${a}`],
  organization: ['action', `${org} ${s} ${a}`],
  org_block: ['action', `${org} ${s} ${a}`],
  page_build: ['id', `${o} ${r} ${s}`],
  ping: ['hook_id', `${o} ${r} ${s}`],
  project: ['action', `${o} ${r} ${s} ${a}`],
  project_card: ['action', `${o} ${r} ${s} ${a}`],
  project_column: ['action', `${o} ${r} ${s} ${a}`],
  public: ['repository.id', `${o} ${r} ${s}`],
  pull_request: [
    'pull_request.number',
    `${o} ${r} ${s} ${a} ${i} number=number|0 label=label.name| assignee=assignee.login?`,
  ],
  pull_request_review: ['review.id', `${o} ${r} ${s} ${a} ${i} review=review.state|`],
  pull_request_review_comment: ['comment.id', `${o} ${r} ${s} ${a} ${i}`],
  push: [
    'last(compare)',
    `${o} ${r} ${s} ${i} pusher=pusher.name| ref=ref| created=created|false deleted=deleted|false forced=forced|false`,
  ],
  release: ['release.tag_name', `${o} ${r} ${s} ${a} ${i} release=release.name?`],
  repository: ['repository.id', `${o} ${r} ${s} ${a}`],
  repository_vulnerability_alert: ['alert.id', a],
  security_advisory: ['security_advisory.ghsa_id', a],
  status: ['sha', `${o} ${r} ${s} state=state| name=name| context=context|`],
  team: ['team.id', `${s} ${a}`],
  team_add: ['repository.id', `${o} ${r} ${s}`],
  watch: ['repository.id', `${o} ${r} ${s} ${a}`],

  branch_protection_rule: ['rule.id', general],
  code_scanning_alert: ['alert.number', general],
  dependabot_alert: ['alert.number', general],
  deploy_key: ['key.id', general],
  deployment_review: ['workflow_run.id', general],
  discussion: ['discussion.number', general],
  discussion_comment: ['comment.id', general],
  github_app_authorization: ['none', general],
  marketplace_purchase: ['none', general],
  merge_group: ['repository.id', general],
  meta: ['hook.id', general],
  package: ['package.id', general],
  projects_v2_item: ['projects_v2_item.id', general],
  pull_request_review_thread: ['pull_request.number', general],
  repository_dispatch: ['repository.id', general],
  repository_import: ['repository.id', general],
  sponsorship: ['none', general],
  star: ['repository.id', general],
  workflow_dispatch: ['repository.id', general],
  workflow_job: ['workflow_job.id', general],
  workflow_run: ['workflow_run.id', general],
};

/**
 * Where an event has the number of the issue or pull request it is about, and how many of the recorded ones have one there
 * that is of their repository: a recorded workflow_run lists one of another. Written by hand, as the table above.
 */
export const numberTable: Readonly<Record<string, readonly [path: string, recorded: number]>> = {
  check_run: ['check_run.pull_requests.0.number', 7],
  check_suite: ['check_suite.pull_requests.0.number', 5],
  deployment: ['workflow_run.pull_requests.0.number', 0],
  deployment_review: ['workflow_run.pull_requests.0.number', 1],
  deployment_status: ['workflow_run.pull_requests.0.number', 0],
  issue_comment: ['issue.number', 9],
  issues: ['issue.number', 29],
  pull_request: ['pull_request.number', 29],
  pull_request_review: ['pull_request.number', 4],
  pull_request_review_comment: ['pull_request.number', 5],
  pull_request_review_thread: ['pull_request.number', 3],
  workflow_run: ['workflow_run.pull_requests.0.number', 0],
};

export function valueAt(payload: unknown, path: string): string | undefined {
  let value = payload;
  for (const name of path.split('.')) value = (value as Record<string, unknown> | null | undefined)?.[name];
  return (value as string | number | boolean | null | undefined)?.toString();
}

function subjectOf(rule: string, payload: unknown): string | undefined {
  if (rule === 'none') return undefined;
  if (rule === 'pages') return (payload as { pages: { page_name: string }[] }).pages.map((p) => p.page_name).join(',');
  const url = /^last\((.*)\)$/.exec(rule)?.[1];
  const value = valueAt(payload, url ?? rule);
  return url ? value?.split('/').at(-1) : value;
}

/** The `ce-` headers that a delivery must lead to, without `id` and `time`. */
export function expectedAttributes(eventType: string, payload: unknown): Record<string, string> {
  const [subject, extensions] = attributeTable[eventType] ?? ['none', ''];
  const expected: Record<string, string> = { specversion: '1.0', type: `dev.knative.source.github.${eventType}` };
  const subjectValue = subjectOf(subject, payload);
  if (subjectValue) expected['subject'] = subjectValue;
  for (const extension of extensions.split(' ')) {
    const [, name = '', path = '', rule] = /^([a-z]+)=([a-z_.]+)(\?|\|.*)?$/.exec(extension) ?? [];
    const value = valueAt(payload, path) ?? (rule?.startsWith('|') ? rule.slice(1) : undefined);
    if (value !== undefined) expected[name] = value;
  }
  return expected;
}
