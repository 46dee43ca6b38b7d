import type { Correlation, JsonObject } from '../contract.ts';
import { at, isObject, member, type Scalar } from './payload.ts';

/** GitHub counts the issues and pull requests of a repository in one sequence. */
export const correlation: Correlation = {
  extension: 'githubnumber',
  meaning: 'the number of the issue or pull request they are about',
  eventTypes: [
    'check_run',
    'check_suite',
    'deployment',
    'deployment_review',
    'deployment_status',
    'issue_comment',
    'issues',
    'pull_request',
    'pull_request_review',
    'pull_request_review_comment',
    'pull_request_review_thread',
    'workflow_run',
  ],
};

/** Members that list the pull requests whose head they ran on. */
const RUNS = ['check_run', 'check_suite', 'workflow_run'];

/** The number of the one issue or pull request an event is about; a comment on a pull request has that as its issue. */
export function numberIn(payload: JsonObject): Scalar | undefined {
  const ofIts = at(payload, ['issue', 'number']) ?? at(payload, ['pull_request', 'number']);
  if (ofIts !== undefined) return ofIts;
  for (const run of RUNS) {
    const [first, ...others] = pullRequestsOf(member(payload, run), at(payload, ['repository', 'id']));
    if (first && others.length === 0) return at(first, ['number']);
  }
  return undefined;
}

/** Those of the repository itself: a run on a branch is listed with what other repositories are asked to pull from it, too. */
function pullRequestsOf(run: unknown, repositoryId: Scalar | undefined): JsonObject[] {
  const listed = member(run, 'pull_requests');
  if (!Array.isArray(listed) || repositoryId === undefined) return [];
  return listed.filter(isObject).filter((pullRequest) => at(pullRequest, ['base', 'repo', 'id']) === repositoryId);
}
