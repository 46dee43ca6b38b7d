import { join } from 'node:path';
import { folderOf } from './go-module.ts';

const OPERATOR = {
  path: 'github.com/prometheus-operator/prometheus-operator',
  version: 'v0.86.1',
  sum: 'h1:pHUuiRErcFb3nFDox7RxoxpEN0FyT24GtYOkr2GBu04=',
};

/** The files of the Prometheus Operator's own definitions of what config/monitoring has, from its Go module. */
export async function operatorCrds(): Promise<readonly string[]> {
  const folder = join(await folderOf(OPERATOR), 'example/prometheus-operator-crd');
  return ['podmonitors', 'servicemonitors', 'prometheusrules'].map((plural) =>
    join(folder, `monitoring.coreos.com_${plural}.yaml`),
  );
}
