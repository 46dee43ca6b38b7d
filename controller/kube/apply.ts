import type { ApiClient } from './api-client.ts';

export const FIELD_MANAGER = 'headwater-controller';

/** Server-side apply: the object is made, or its fields that are given become so. Resolves to it as it is then. */
export function applyObject<Answer>(
  api: Pick<ApiClient, 'call'>,
  path: string,
  body: object,
  fieldManager = FIELD_MANAGER,
): Promise<Answer> {
  return api.call<Answer>('PATCH', path, {
    query: { fieldManager, force: true },
    body,
    contentType: 'application/apply-patch+yaml',
  });
}
