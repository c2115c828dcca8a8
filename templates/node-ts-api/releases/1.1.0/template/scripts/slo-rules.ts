/**
 * Prometheus rules for the objectives in slo.yaml.
 *
 * Multi-window, multi-burn-rate alerts as of the Google SRE workbook, chapter 5:
 * an alert fires if the budget burns too fast over a long window and still does over a short one.
 */

import { parseAllDocuments, Scalar, stringify } from "yaml";

interface Metric {
  readonly metricSource: { readonly spec: { readonly query: string } };
}

interface Slo {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly displayName: string;
    readonly labels: { readonly owner: string };
    readonly annotations: { readonly runbook: string };
  };
  readonly spec: {
    readonly service: string;
    readonly indicator: {
      readonly spec: { readonly ratioMetric: { readonly good: Metric; readonly total: Metric } };
    };
    readonly timeWindow: readonly { readonly duration: string }[];
    readonly objectives: readonly { readonly target: number }[];
  };
}

interface Burn {
  readonly rate: number;
  readonly long: string;
  readonly short: string;
}

// The rates are those for 30 days.
const ALERTS: readonly { name: string; severity: string; burns: readonly Burn[] }[] = [
  {
    name: "ErrorBudgetBurnFast",
    severity: "page",
    burns: [
      { rate: 14.4, long: "1h", short: "5m" },
      { rate: 6, long: "6h", short: "30m" },
    ],
  },
  {
    name: "ErrorBudgetBurnSlow",
    severity: "ticket",
    burns: [
      { rate: 3, long: "1d", short: "2h" },
      { rate: 1, long: "3d", short: "6h" },
    ],
  },
];
const WINDOWS = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];
const PERIOD = "30d";

/** Return a name in quotes: one like `on` would not stay a string. */
function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

/** Return the one element of a list. */
function only<T>(list: readonly T[]): T {
  const [first, ...others] = list;
  if (first === undefined || others.length > 0) {
    throw new Error("an SLO has one objective and one time window");
  }
  return first;
}

/** Return the share of bad events in a window. */
function errorRatio(slo: Slo, window: string): string {
  const { good, total } = slo.spec.indicator.spec.ratioMetric;
  const rate = (metric: Metric) => `sum(rate(${metric.metricSource.spec.query}[${window}]))`;
  // Without a single good event there is no series to sum, and all are bad.
  return `1 - (${rate(good)} or vector(0)) / ${rate(total)}`;
}

/** Return the labels which tell the series of an SLO apart. */
function labels(slo: Slo) {
  return { service: quoted(slo.spec.service), slo: slo.metadata.name };
}

/** Return those labels as PromQL writes them. */
function selector(slo: Slo): string {
  return `{service="${slo.spec.service}", slo="${slo.metadata.name}"}`;
}

/** Return the share of events which may be bad. */
function budget(slo: Slo): number {
  return Number((1 - only(slo.spec.objectives).target).toPrecision(6));
}

/** Return the rule which records the error ratio over a window. */
function recording(slo: Slo, window: string) {
  return {
    record: `slo:sli_error:ratio_rate${window}`,
    expr: errorRatio(slo, window),
    labels: labels(slo),
  };
}

/** Return the rule which records how much of the budget is left, 1 being all. */
function remaining(slo: Slo) {
  const burnt = `slo:sli_error:ratio_rate${PERIOD}${selector(slo)} / ${String(budget(slo))}`;
  return {
    record: "slo:error_budget:ratio_remaining",
    expr: `1 - ${burnt}`,
    labels: labels(slo),
  };
}

/** Return the condition that the budget burns at a rate, and still does. */
function burning(slo: Slo, { rate, long, short }: Burn): string {
  const over = (window: string) =>
    `slo:sli_error:ratio_rate${window}${selector(slo)} > ${String(rate)} * ${String(budget(slo))}`;
  return `(${over(long)}\nand ${over(short)})`;
}

/** Return one alert. */
function alert(slo: Slo, { name, severity, burns }: (typeof ALERTS)[number]) {
  const { annotations, displayName } = slo.metadata;
  return {
    alert: name,
    expr: burns.map((burn) => burning(slo, burn)).join("\nor\n"),
    labels: { ...labels(slo), owner: quoted(slo.metadata.labels.owner), severity },
    annotations: {
      summary: `${displayName} burns its error budget too fast.`,
      description: "{{ $value | humanizePercentage }} of events are bad.",
      runbook_url: `${annotations.runbook}#${name.toLowerCase()}`,
    },
  };
}

/** Return the rule groups of one SLO. */
function groups(slo: Slo) {
  const name = `${slo.spec.service}-${slo.metadata.name}`;
  if (only(slo.spec.timeWindow).duration !== PERIOD) {
    throw new Error(`${slo.metadata.name}: the burn rates here are for ${PERIOD}`);
  }
  return [
    { name: `${name}-errors`, rules: WINDOWS.map((window) => recording(slo, window)) },
    // A month is slow to read and slow to change.
    {
      name: `${name}-budget`,
      interval: "10m",
      rules: [recording(slo, PERIOD), remaining(slo)],
    },
    { name: `${name}-alerts`, rules: ALERTS.map((kind) => alert(slo, kind)) },
  ];
}

/** Return the rules of every SLO in a file. */
export function sloRules(source: string): string {
  const slos = parseAllDocuments(source)
    .map((document) => document.toJS() as Slo)
    .filter((document) => document.kind === "SLO");
  const rules = stringify(
    { groups: slos.flatMap(groups) },
    { indentSeq: false, lineWidth: 0, singleQuote: true },
  );
  return `---\n# Made from slo.yaml by \`make slo\`; change that, not this.\n${rules}`;
}
