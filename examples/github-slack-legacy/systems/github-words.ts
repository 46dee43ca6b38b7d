import { issueOpened, serveEvents } from './events.ts';

/** What is read of GitHub's event. */
interface IssueEvent {
  readonly issue: { readonly title: string; readonly html_url: string; readonly user: { readonly login: string } };
}

await serveEvents<IssueEvent>(async (_event, { issue }) =>
  issueOpened({ title: issue.title, url: issue.html_url, by: issue.user.login }),
);
