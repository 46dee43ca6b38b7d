export type Series = Readonly<Record<string, string>>;

export const controller = 'job="headwater-controller",pod="c-1"';
export const adapter = 'job="headwater-adapter",pod="a-1"';
export const kind = 'kind="GitHubSource"';
export const delivered = (outcome: string, source = 'demo/hello') =>
  `headwater_deliveries_total{${adapter},source="${source}",outcome="${outcome}"}`;
const buckets = (name: string, labels: string, values: Series): Series =>
  Object.fromEntries(Object.entries(values).map(([le, value]) => [`${name}_bucket{${labels},le="${le}"}`, value]));
export const asked = (result: string) => `headwater_provider_requests_total{${kind},method="GET",result="${result}"}`;
export const sources = (ready: string, reason: string) =>
  `headwater_sources{${kind},ready="${ready}",reason="${reason}"}`;
export const webhooks = (state: string) => `headwater_webhooks{${kind},state="${state}"}`;
export const waits = (values: Series) => buckets('workqueue_queue_duration_seconds', controller, values);
export const replies = (values: Series) => buckets('headwater_delivery_duration_seconds', adapter, values);

/** Four hours of an install that is well, a value a minute; that something went wrong once is no reason to alert for ever. */
export const healthy: Series = {
  [`up{${controller}}`]: '1x240',
  [`up{${adapter}}`]: '1x240',
  'leader_election_master_status{name="headwater-controller",pod="c-1"}': '1x240',
  'leader_election_master_status{name="headwater-controller",pod="c-2"}': '0x240',
  ...waits({ 0.1: '0+10x240', 60: '0+10x240', 300: '0+10x240', '+Inf': '0+10x240' }),
  [`workqueue_longest_running_processor_seconds{${controller}}`]: '2x240',
  [`controller_runtime_reconcile_errors_total{${controller},controller="githubsource"}`]: '3x240',
  [`rest_client_requests_total{${controller},method="GET",code="200"}`]: '0+100x240',
  [`rest_client_requests_total{${controller},method="GET",code="<error>"}`]: '0+2x240',
  [`headwater_controller_watch_failures_total{${controller}}`]: '5x240',
  [`headwater_controller_writes_refused_total{${controller},webhook="policy.example.com"}`]: '9x240',
  [sources('True', '')]: '5x240',
  [sources('Unknown', 'WaitingForDelivery')]: '1x240',
  [sources('Unknown', 'WebhookMoving')]: '1x240',
  [webhooks('configured')]: '5x240',
  [webhooks('not-compared')]: '0x240',
  [webhooks('old-remains')]: '0x240',
  headwater_orphaned_webhooks: '0x240',
  [`headwater_provider_quota_remaining{${kind},api="api.github.com"}`]: '4000x240',
  [`headwater_provider_quota_limit{${kind},api="api.github.com"}`]: '5000x240',
  [asked('ok')]: '0+5x240',
  [asked('failing')]: '0+1x240',
  [asked('rate-limited')]: '2x240',
  [`headwater_routes{${adapter}}`]: '6x240',
  'headwater_routes{job="headwater-adapter",pod="a-2"}': '6x240',
  [delivered('kept')]: '0+20x240',
  [delivered('undelivered')]: '7x240',
  [delivered('refused')]: '7x240',
  [delivered('forged')]: '7x240',
  [delivered('no-room')]: '7x240',
  [delivered('unknown-path', '')]: '0+1x240',
  [`headwater_dead_lettered_total{${adapter}}`]: '3x240',
  [`headwater_sink_attempts_total{${adapter}}`]: '0+21x240',
  ...replies({ 0.1: '0+20x240', 5: '0+20x240', 8: '0+20x240', '+Inf': '0+20x240' }),
  [`process_cpu_seconds_total{${adapter}}`]: '0+30x240',
  [`process_resident_memory_bytes{${adapter}}`]: '200000000x240',
  [`headwater_memory_limit_bytes{${adapter}}`]: '512000000x240',
};
