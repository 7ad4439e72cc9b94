/** deploy/ against Prometheus's own tool, which parses and evaluates as Prometheus does. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { resolveTool } from '../../dev/tools/resolve.ts';

const deploy = path.join(import.meta.dirname, '../../deploy');
const read = async (file: string): Promise<string> =>
  await readFile(path.join(deploy, file), 'utf8');

let promtool = '';
beforeAll(async () => {
  promtool = (await resolveTool('promtool')).command;
});

/** Its exit code and all that it said. */
async function run(...args: string[]): Promise<{ code: number; said: string }> {
  const cwd = path.join(deploy, 'prometheus');
  try {
    const { stdout, stderr } = await promisify(execFile)(promtool, args, { cwd });
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const failed = z.object({ code: z.int(), stdout: z.string(), stderr: z.string() }).parse(error);
    return { code: failed.code, said: failed.stdout + failed.stderr };
  }
}

describe('GA8 Prometheus', () => {
  test('GA8 takes the configuration and the rules', async () => {
    const { code, said } = await run('check', 'config', 'prometheus.yml');
    expect([code, said]).toEqual([0, expect.stringMatching(/SUCCESS: \d\d rules found/)]);
  });

  test('GA8 evaluates every alert: silent, firing alone, silent again', async () => {
    const { code, said } = await run('test', 'rules', 'alerts.test.yml');
    expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
    const rules = z
      .object({ groups: z.array(z.object({ rules: z.array(z.object({ alert: z.string() })) })) })
      .parse(parse(await read('prometheus/alerts.yml')));
    const alerts = rules.groups.flatMap((group) => group.rules.map(({ alert }) => alert));
    const { tests } = z
      .object({
        tests: z.array(
          z.object({
            name: z.string(),
            promql_expr_test: z.array(
              z.object({ exp_samples: z.array(z.object({ labels: z.string() })) }),
            ),
          }),
        ),
      })
      .parse(parse(await read('prometheus/alerts.test.yml')));
    const told = tests.map(({ name, promql_expr_test: cases }) => [
      name,
      cases.map(({ exp_samples: samples }) =>
        samples.map(({ labels }) => /alertname="(\w+)"/.exec(labels)?.[1]),
      ),
    ]);
    expect(told).toEqual(alerts.map((alert) => [alert, [[], [alert], []]]));
  });

  test('GA8 would say of a rule that it is wrong, and of an alert that it is silent', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'durabill-rules-'));
    try {
      const rules = (await read('prometheus/alerts.yml')).replace(' > 900', ' > 9000');
      await writeFile(path.join(folder, 'alerts.yml'), rules);
      const cases = path.join(folder, 'alerts.test.yml');
      await writeFile(cases, await read('prometheus/alerts.test.yml'));
      const silent = await run('test', 'rules', cases);
      expect([silent.code, silent.said]).toEqual([1, expect.stringContaining('UsageOverdue')]);
      const wrong = path.join(folder, 'wrong.yml');
      await writeFile(wrong, stringify(asRules(['sum by (le rate(x[5m])'])));
      expect((await run('check', 'rules', wrong)).code).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('GA8 understands every panel of the dashboard', async () => {
    const { panels } = z
      .object({
        panels: z.array(z.object({ targets: z.array(z.object({ expr: z.string() })).default([]) })),
      })
      .parse(JSON.parse(await read('grafana/dashboards/durabill.json')));
    const shown = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const folder = await mkdtemp(path.join(tmpdir(), 'durabill-panels-'));
    try {
      const file = path.join(folder, 'panels.yml');
      await writeFile(file, stringify(asRules(shown)));
      const { code, said } = await run('check', 'rules', file);
      expect([code, said]).toEqual([
        0,
        expect.stringContaining(`SUCCESS: ${shown.length} rules found`),
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** Expressions as recording rules, which is how promtool reads an expression. */
function asRules(expressions: readonly string[]): object {
  const rules = expressions.map((expr, index) => ({ record: `panel_${index}`, expr }));
  return { groups: [{ name: 'expressions', rules }] };
}
