/** GA8: the metrics' names, and those that deploy/ speaks of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { createMetrics } from '../../platform/metrics.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** Page 4, GA8, with their labels. */
const named = {
  spell_cast_total: ['outcome'],
  rate_limited_total: [],
  budget_block_total: [],
  stripe_webhook_total: ['type', 'outcome'],
  spell_cast_duration_seconds: [],
  db_pool_in_use: [],
  redis_errors_total: [],
};

/** A label has few values, which our own code knows: no customer, no key, no message. */
const knownLabels = ['outcome', 'kind', 'type', 'effect', 'need'];

const metrics = createMetrics();
/** As the declarations have them; those of Node itself come from the library. */
const declared = Object.values(metrics).flatMap((metric) => {
  const shape = z
    .object({ name: z.string(), help: z.string(), labelNames: z.array(z.string()) })
    .safeParse(metric);
  return shape.success ? [shape.data] : [];
});
const all = metrics.registry.getMetricsAsArray();
const ofNode = /^(process|nodejs)_/;
const ours = all.map(({ name }) => name).filter((name) => !ofNode.test(name));

describe('GA8 metrics', () => {
  test('GA8 each name is on the list or begins with durabill_, and the list is complete', () => {
    expect(ours.filter((name) => !(name in named) && !name.startsWith('durabill_'))).toEqual([]);
    expect(Object.keys(named).filter((name) => !ours.includes(name))).toEqual([]);
  });

  test('GA8 each has help, and only labels whose values are few', () => {
    const shapes = all.map(({ name, help }) => ({ name, help }));
    expect(shapes.filter(({ help }) => help.length < 10)).toEqual([]);
    const labels = declared.flatMap(({ labelNames }) => labelNames);
    expect(labels.filter((label) => !knownLabels.includes(label))).toEqual([]);
    const listed = declared.filter(({ name }) => name in named);
    expect(Object.fromEntries(listed.map(({ name, labelNames }) => [name, labelNames]))).toEqual(
      named,
    );
  });

  test('GA8 what alerts is there from the start: a first 1 is no increase', async () => {
    const told = (await createMetrics().registry.metrics()).split('\n');
    expect(told).toContain('durabill_dead_letters_total{kind="usage-rejected"} 0');
    expect(told).toContain('stripe_webhook_total{type="other",outcome="bad_signature"} 0');
  });
});

const words = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** The metrics that an expression of PromQL reads. */
function metricsIn(expression: string): string[] {
  const bare = expression
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  return [...bare.matchAll(/[a-z_:][a-z0-9_:]*\b(?!\s*\()/gi)]
    .map(([name]) => name)
    .filter((name) => !words.has(name))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''));
}

const rules = z
  .object({
    groups: z.array(
      z.object({ rules: z.array(z.object({ alert: z.string(), expr: z.string() })) }),
    ),
  })
  .parse(parse(read('deploy/prometheus/alerts.yml')))
  .groups.flatMap((group) => group.rules);

const dashboard = z
  .object({
    panels: z.array(
      z.object({
        title: z.string(),
        targets: z.array(z.object({ expr: z.string() })).default([]),
      }),
    ),
  })
  .parse(JSON.parse(read('deploy/grafana/dashboards/durabill.json')));
const shown = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

describe('GA8 what deploy/ speaks of', () => {
  test('GA8 the names are found in every kind of expression', () => {
    expect(metricsIn('sum by (kind) (increase(a_total{b="c_total"}[1h])) > 0')).toEqual([
      'a_total',
    ]);
    expect(metricsIn('up{job="x"} == 0 and on () max(b_seconds_bucket)')).toEqual([
      'up',
      'b_seconds',
    ]);
  });

  test('GA8 every metric of a rule or a panel exists', () => {
    const known = new Set([...all.map(({ name }) => name), 'up']);
    const spoken = [...rules.map(({ expr }) => expr), ...shown].flatMap(metricsIn);
    // The SDK's own; test/e2e/start.test.ts sees them at a worker.
    const missing = spoken.filter((name) => !known.has(name) && !name.startsWith('temporal_'));
    expect(missing).toEqual([]);
    expect(rules.length).toBeGreaterThan(10);
  });

  test('GA8 the dashboard shows every metric of ours', () => {
    const seen = new Set(shown.flatMap(metricsIn));
    expect(ours.filter((name) => !seen.has(name))).toEqual([]);
  });

  test('GA8 every alert is told in docs/operations.md', () => {
    const page = read('docs/operations.md');
    expect(rules.filter(({ alert }) => !page.includes(`\`${alert}\``))).toEqual([]);
  });
});
