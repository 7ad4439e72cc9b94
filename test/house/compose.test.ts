/** What can be proven of the production-shaped stack without Docker: its text. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { reportConfig } from '../../platform/config.ts';

const root = join(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const serviceSchema = z.strictObject({
  image: z.string(),
  build: z.literal('.').optional(),
  restart: z.enum(['no', 'unless-stopped']),
  user: z.string().optional(),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
  stop_grace_period: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z
    .record(
      z.string(),
      z.strictObject({ condition: z.enum(['service_healthy', 'service_completed_successfully']) }),
    )
    .default({}),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal('CMD'), z.string()], z.string()),
      interval: z.string(),
      timeout: z.string(),
      retries: z.int(),
    })
    .optional(),
});

const text = read('docker-compose.yml');
const compose = z
  .object({
    services: z.record(z.string(), serviceSchema),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(text));
const services = Object.entries(compose.services).map(([name, service]) => ({ name, ...service }));
const jobs = new Set(services.filter(({ restart }) => restart === 'no').map(({ name }) => name));

/** A version of at least two numbers: never `latest`, never a bare major. */
const pinned = /^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$/;

describe('docker-compose.yml', () => {
  test('has every part of the stack', () => {
    expect(services.map(({ name }) => name).toSorted()).toStrictEqual([
      'dynamodb',
      'grafana',
      'postgres',
      'prometheus',
      's3',
      'server',
      'setup',
      'temporal',
      'temporal-namespace',
      'temporal-schema',
      'temporal-ui',
      'valkey',
      'worker',
    ]);
  });

  test('says that it was not run', () => {
    expect(text).toContain('Checked, but not run');
  });

  test.each(services)('$name: its image is pinned to a version', ({ image }) => {
    expect(image).toMatch(pinned);
  });

  test('the server, the schema tool and the namespace tool are of one version', () => {
    const temporal = services.filter(({ image }) =>
      /^temporalio\/(server|admin-tools):/.test(image),
    );
    expect(new Set(temporal.map(({ image }) => image.split(':')[1])).size).toBe(1);
  });

  test.each(services)('$name: its ports are published on 127.0.0.1 only', ({ ports }) => {
    const open = ports.filter((port) => !/^127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+$/.test(port));
    expect(open).toStrictEqual([]);
  });

  test.each(services)('$name: a service has a health check, a job ends by itself', (service) => {
    expect(service.healthcheck === undefined).toBe(jobs.has(service.name));
  });

  test.each(services)('$name: what it waits for is there and can be waited for', (service) => {
    const wrong = Object.entries(service.depends_on).filter(([name, { condition }]) => {
      const isJob = jobs.has(name);
      const wanted = isJob ? 'service_completed_successfully' : 'service_healthy';
      return compose.services[name] === undefined || condition !== wanted;
    });
    expect(wrong).toStrictEqual([]);
  });

  test.each(services)('$name: files are there, volumes are named', ({ volumes }) => {
    const sources = volumes.map((volume) => volume.split(':')[0] ?? '');
    const files = sources.filter((source) => source.startsWith('.'));
    expect(files.filter((file) => !existsSync(join(root, file)))).toStrictEqual([]);
    expect(volumes.filter((v) => v.startsWith('.') && !v.endsWith(':ro'))).toStrictEqual([]);
    const named = sources.filter((source) => !source.startsWith('.'));
    expect(named.filter((name) => !(name in compose.volumes))).toStrictEqual([]);
  });

  test('every named volume is used', () => {
    const used = services.flatMap(({ volumes }) => volumes.map((volume) => volume.split(':')[0]));
    expect(Object.keys(compose.volumes).filter((name) => !used.includes(name))).toStrictEqual([]);
  });

  test('every variable that we give to our processes is one that they read', () => {
    const known = new Set(reportConfig({}).map(({ variable }) => variable));
    const ours = services.filter(({ image }) => image.startsWith('durabill:'));
    expect(ours.map(({ name }) => name)).toStrictEqual(['setup', 'worker', 'server']);
    const unknown = ours.flatMap(({ environment }) =>
      Object.keys(environment).filter((name) => !known.has(name)),
    );
    expect(unknown).toStrictEqual([]);
  });

  test('I10 no secret is written down: each comes from .env, and the example names it empty', () => {
    const secret = /PASSWORD|PWD|SECRET|TOKEN|ACCESS_KEY/;
    const written = services.flatMap(({ environment }) =>
      Object.entries(environment).filter(
        ([name, value]) => secret.test(name) && !/^\$\{[A-Z_]+(:\?[^}]*|:-)\}$/.test(value),
      ),
    );
    expect(written).toStrictEqual([]);
    const needed = [...text.matchAll(/\$\{([A-Z_]+):\?/g)].map((match) => match[1] ?? '');
    const example = read('deploy/env.example');
    const lines = example.split('\n');
    expect(needed.filter((name) => !lines.includes(`${name}=`))).toStrictEqual([]);
    expect(lines.filter((line) => /^[A-Z_]+=./.test(line))).toStrictEqual([]);
  });

  test('our processes have no privileges and get their time to end', () => {
    const guarded = services.filter(({ name }) => name === 'worker' || name === 'server');
    for (const service of guarded) {
      expect([service.read_only, service.init, service.cap_drop]).toStrictEqual([
        true,
        true,
        ['ALL'],
      ]);
    }
    expect(compose.services['worker']?.stop_grace_period).toBe('40s');
  });
});

describe('Dockerfile', () => {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

  test('both stages are from one pinned image of glibc', () => {
    const images = lines
      .filter((line) => line.startsWith('FROM '))
      .map((line) => line.split(' ')[1]);
    expect(images).toHaveLength(2);
    expect(new Set(images).size).toBe(1);
    expect(images[0]).toMatch(/^node:24\.\d+\.\d+-bookworm-slim$/);
  });

  test('does not run as root, and knows the commands that compose gives', () => {
    expect(lines.filter((line) => line.startsWith('USER '))).toStrictEqual(['USER node']);
    expect(
      lines.indexOf('USER node') > lines.findLastIndex((line) => /^(RUN|COPY) /.test(line)),
    ).toBe(true);
    const programs = services.flatMap(({ command }) =>
      (command ?? []).filter((word) => word.startsWith('dist/')),
    );
    const missing = programs.filter(
      (program) => !existsSync(join(root, program.replace('dist/', '').replace(/js$/, 'ts'))),
    );
    expect(missing).toStrictEqual([]);
  });

  test('the Stripe double does not go into the image', () => {
    expect(read('.dockerignore').split('\n')).toContain('stripe-double');
    const npm = lines.flatMap((line) => line.match(/npm (ci|prune)[^&]*/g) ?? []);
    expect(npm.map((command) => command.trim())).toStrictEqual([
      'npm ci --workspaces=false',
      'npm prune --omit=dev --workspaces=false',
    ]);
  });

  test('nothing secret and nothing built goes into the image', () => {
    const ignored = read('.dockerignore').split('\n');
    expect(
      ['.env', '.git', '.durabill', 'node_modules'].filter((n) => !ignored.includes(n)),
    ).toEqual([]);
  });
});

describe('Prometheus and Grafana', () => {
  test('Prometheus asks services of the stack, on the ports that they listen on', () => {
    const config = z
      .object({
        rule_files: z.array(z.string()),
        scrape_configs: z.array(
          z.object({ static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
        ),
      })
      .parse(parse(read('deploy/prometheus/prometheus.yml')));
    const targets = config.scrape_configs.flatMap(({ static_configs }) =>
      static_configs.flatMap((entry) => entry.targets),
    );
    const { worker, server, temporal } = compose.services;
    expect(targets).toStrictEqual([
      `worker:${worker?.environment['WORKER_HEALTH_PORT']}`,
      `server:${server?.environment['METRICS_PORT']}`,
      `temporal:${temporal?.environment['PROMETHEUS_ENDPOINT']?.split(':')[1]}`,
    ]);
    expect(compose.services['prometheus']?.volumes).toContain(
      './deploy/prometheus:/etc/prometheus:ro',
    );
    const files = config.rule_files.map((file) => join('deploy/prometheus', file));
    expect(files.filter((file) => !existsSync(join(root, file)))).toStrictEqual([]);
  });

  test('GA8 metrics are not on the port that is published', () => {
    const { METRICS_PORT, PORT } = compose.services['server']?.environment ?? {};
    expect(METRICS_PORT).toMatch(/^\d+$/);
    expect(METRICS_PORT).not.toBe(PORT);
    expect(compose.services['server']?.ports).toStrictEqual([`127.0.0.1:\${PORT:-8080}:${PORT}`]);
  });

  test('Grafana’s provisioning is valid YAML', () => {
    const folder = 'deploy/grafana/provisioning';
    for (const kind of ['datasources', 'dashboards']) {
      for (const file of readdirSync(join(root, folder, kind))) {
        const parsed = z
          .object({ apiVersion: z.literal(1) })
          .safeParse(parse(read(join(folder, kind, file))));
        expect([file, parsed.success]).toStrictEqual([file, true]);
      }
    }
  });
});
