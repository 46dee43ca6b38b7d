const ISO_DURATION = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/;
const UNITS_MS = [604_800_000, 86_400_000, 3_600_000, 60_000, 1000];

/**
 * Milliseconds of an ISO 8601 duration without years and months (whose length varies), as Knative's DeliverySpec uses
 * them (`PT0.2S`); undefined where the text is none.
 */
export function millisecondsOf(duration: string): number | undefined {
  const parts = ISO_DURATION.exec(duration)?.slice(1);
  if (!parts?.some((part) => part !== undefined)) return undefined;
  return parts.reduce((total, part, index) => total + Number(part ?? 0) * (UNITS_MS[index] ?? 0), 0);
}
